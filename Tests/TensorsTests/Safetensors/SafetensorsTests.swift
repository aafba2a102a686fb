import Foundation
import Tensors
import TestSupport
import Testing

struct SafetensorsTests {
  @Test func aFileMadeByHandIsRead() throws {
    let file = safetensors(
      """
      {"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},\
      "a":{"dtype":"BF16","shape":[],"data_offsets":[8,10]},\
      "e":{"dtype":"U8","shape":[0,3],"data_offsets":[10,10]}}  
      """, body: [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0, 0x49, 0x40])
    let read = try Safetensors(decoding: file)
    #expect(read.names == ["b", "a", "e"])
    #expect(read.metadata == ["format": "pt"])
    #expect(read.entry(named: "b")?.shape == [2, 1])
    #expect(read.entry(named: "a")?.scalarType == .bfloat16)
    #expect(try read.tensor(named: "b").scalars == [1, -2.5])
    #expect(try read.tensor(named: "a").scalars == [3.140625])
    #expect(try read.tensor(named: "a").shape == [])
    #expect(try read.tensor(named: "e").scalars.isEmpty)
    #expect(try read.rawBytes(named: "a") == [0x49, 0x40])
    #expect(read.entry(named: "none") == nil)
    #expect(throws: SafetensorsError.self) { try read.tensor(named: "none") }
  }

  @Test func allPrefixesOfAFileAreRefused() throws {
    let file = try Safetensors.encoded(
      tensors: [("a", Tensor([1, 2, 3], shape: [3])), ("b", Tensor([4], shape: [1, 1]))],
      metadata: ["k": "v"])
    for count in 0..<file.count {
      #expect(throws: SafetensorsError.self) { try Safetensors(decoding: Array(file[..<count])) }
    }
    #expect(throws: SafetensorsError.self) { try Safetensors(decoding: file + [0]) }
    _ = try Safetensors(decoding: file)
  }

  @Test func noSingleChangedByteTraps() throws {
    let file = try Safetensors.encoded(
      tensors: [("a", Tensor([1, 2, 3], shape: [3])), ("b", Tensor([4], shape: [1, 1]))])
    for index in file.indices {
      for value: UInt8 in [0, 1, 0x20, 0x22, 0x2C, 0x2D, 0x30, 0x39, 0x5B, 0x7B, 0x7D, 0x80, 0xFF] {
        var changed = file
        changed[index] = value
        guard let read = try? Safetensors(decoding: changed) else { continue }
        for name in read.names { _ = try read.tensor(named: name) }
      }
    }
  }

  @Test(arguments: [
    // Not an object, or fields missing, unknown, twice or of another type.
    "[]", "{}  x", "{\"a\":1}", "{\"a\":{}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}",
    "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[[1]],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1e400]}}",
    // Metadata that isn't strings.
    "{\"__metadata__\":{\"a\":1},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"__metadata__\":[],\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    // Bytes outside, of another size, reversed, out of range.
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9223372036854775807,9223372036854775807]}}",
    // No tensor claims the body; two claim it; a hole.
    "{}", "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[1,4]}}",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
      + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
  ])
  func aHeaderThatLiesIsRefused(_ header: String) {
    #expect(throws: SafetensorsError.self) {
      try Safetensors(decoding: safetensors(header, body: [0, 0, 0, 0]))
    }
  }

  @Test func headersOfImpossibleSizesAreRefused() {
    for prefix: [UInt8] in [
      [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0, 0, 0, 0, 0x80],
      [0, 0, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 0],
    ] {
      #expect(throws: SafetensorsError.self) { try Safetensors(decoding: prefix + [0x7B, 0x7D]) }
    }
    let long = safetensors("{}" + String(repeating: " ", count: 100), body: [])
    #expect(
      throws: SafetensorsError(
        source: "bytes in memory",
        problem: .headerSize(claimed: 102, available: 102, limit: 101))
    ) { try Safetensors(decoding: long, limits: .init(headerByteCount: 101)) }
    #expect(throws: Never.self) { try Safetensors(decoding: long) }
  }

  @Test func aHeaderMayNotStartWithASpace() {
    #expect(throws: SafetensorsError.self) {
      try Safetensors(decoding: safetensors(" {}", body: []))
    }
  }

  @Test func anErrorNamesTheFile() {
    let url = URL(filePath: "/nowhere/model.safetensors")
    #expect {
      try Safetensors(contentsOf: url)
    } throws: { error in
      "\(error)".hasPrefix("/nowhere/model.safetensors: cannot be opened: No such file")
    }
    #expect(throws: SafetensorsError.self) { try Safetensors(contentsOf: URL(filePath: "/tmp")) }
  }

  @Test func integersAreRead() throws {
    let file = safetensors(
      """
      {"i":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},\
      "u":{"dtype":"U8","shape":[2],"data_offsets":[16,18]},\
      "s":{"dtype":"I16","shape":[1],"data_offsets":[18,20]},\
      "t":{"dtype":"BOOL","shape":[2],"data_offsets":[20,22]},\
      "x":{"dtype":"U64","shape":[1],"data_offsets":[22,30]},\
      "f":{"dtype":"F32","shape":[1],"data_offsets":[30,34]}}
      """,
      body: [10, 0, 0, 0, 0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        + [7, 255, 0xFF, 0xFF, 1, 0] + [UInt8](repeating: 0xFF, count: 8) + [0, 0, 0, 0])
    let read = try Safetensors(decoding: file)
    #expect(try read.integers(named: "i") == [10, -2])
    #expect(try read.integers(named: "u") == [7, 255])
    #expect(try read.integers(named: "s") == [-1])
    #expect(try read.integers(named: "t") == [1, 0])
    #expect(try read.tensor(named: "i").scalars == [10, -2])
    #expect(try read.tensor(named: "t").scalars == [1, 0])
    #expect(try read.tensor(named: "x").scalars == [0x1p64])
    #expect(throws: SafetensorsError.self) { try read.integers(named: "x") }
    #expect(throws: SafetensorsError.self) { try read.integers(named: "f") }
  }
}

/// A safetensors file with this header and body.
private func safetensors(_ header: String, body: [UInt8]) -> [UInt8] {
  let text = Array(header.utf8)
  return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + body
}
