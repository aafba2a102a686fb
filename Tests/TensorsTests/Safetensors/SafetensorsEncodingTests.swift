import Foundation
import Tensors
import TestSupport
import Testing

struct SafetensorsEncodingTests {
  private let values: [Float] = [0, -0.0, 1, -2.5, 0.1, 65504, 1e-7, -1e-5, .infinity]

  @Test func float32ComesBackBitForBit() throws {
    let tensor = Tensor(values, shape: [3, 3])
    let file = try Safetensors.encoded(
      tensors: [
        ("z", tensor), ("a\"\\é", Tensor([7], shape: [])), ("e", Tensor([], shape: [0, 2])),
      ],
      metadata: ["format": "pt", "note": "line\nbreak"])
    let read = try Safetensors(decoding: file)
    #expect(read.names.sorted() == ["a\"\\é", "e", "z"])
    #expect(read.metadata == ["format": "pt", "note": "line\nbreak"])
    #expect(try read.tensor(named: "z").scalars.map(\.bitPattern) == values.map(\.bitPattern))
    #expect(try read.tensor(named: "z").shape == [3, 3])
    #expect(try read.tensor(named: "a\"\\é").scalars == [7])
    #expect(try read.tensor(named: "e").shape == [0, 2])
  }

  @Test func theBytesAreTheSameInAnyOrderOfTheTensors() throws {
    let (a, b) = (Tensor([1], shape: [1]), Tensor([2, 3], shape: [2]))
    let file = try Safetensors.encoded(tensors: [("a", a), ("b", b)])
    #expect(try Safetensors.encoded(tensors: [("b", b), ("a", a)]) == file)
    #expect((Int(file[0]) | Int(file[1]) << 8) % 8 == 0)
    let header =
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
      + #""b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#
    #expect(String(decoding: file[8..<8 + header.utf8.count], as: UTF8.self) == header)
  }

  @Test(arguments: [ScalarType.float16, .bfloat16])
  func narrowTypesRoundToNearest(_ type: ScalarType) throws {
    let file = try Safetensors.encoded(
      tensors: [("x", Tensor(values, shape: [9]))], as: type)
    let read = try Safetensors(decoding: file).tensor(named: "x").scalars
    let step: Float = type == .float16 ? 0x1p-11 : 0x1p-8
    for (value, got) in zip(values, read) where value != got {
      #expect(abs(value - got) <= max(abs(value) * step, 0x1p-25), "\(value) became \(got)")
    }
  }

  @Test func valuesOutOfRangeAreRefused() throws {
    func encode(_ value: Float, _ type: ScalarType) throws {
      _ = try Safetensors.encoded(tensors: [("x", Tensor([value], shape: [1]))], as: type)
    }
    #expect(
      throws: SafetensorsError(
        source: "tensors to be written",
        problem: .outOfRange(tensor: "x", value: -65520, type: .float16))
    ) { try encode(-65520, .float16) }
    try encode(65519.996, .float16)
    try encode(1e30, .bfloat16)
    #expect(throws: SafetensorsError.self) { try encode(.greatestFiniteMagnitude, .bfloat16) }
    try encode(.greatestFiniteMagnitude, .float32)
  }

  @Test func reservedAndRepeatedNamesAreRefused() {
    let x = Tensor([1], shape: [1])
    #expect(throws: SafetensorsError.self) {
      try Safetensors.encoded(tensors: [("__metadata__", x)])
    }
    #expect(throws: SafetensorsError.self) {
      try Safetensors.encoded(tensors: [("x", x), ("x", x)])
    }
  }

  @Test(
    .enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"),
    arguments: ["kl_tiny", "kl_sd3_tiny", "taesd_tiny", "unet_tiny"])
  func goldenFilesAreReadAndWrittenWithoutLoss(_ folder: String) throws {
    for name in ["diffusion_pytorch_model", "golden"] {
      let read = try Safetensors(
        contentsOf: SharedFiles.url("golden/\(folder)/\(name).safetensors"))
      let tensors = try read.names.map { ($0, try read.tensor(named: $0)) }
      let again = try Safetensors(decoding: Safetensors.encoded(tensors: tensors))
      #expect(Set(again.names) == Set(read.names))
      for entry in read.entries where entry.scalarType == .float32 {
        #expect(again.entry(named: entry.name)?.shape == entry.shape)
        #expect(try again.rawBytes(named: entry.name) == read.rawBytes(named: entry.name))
      }
    }
  }

  @Test(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
  func theTimestepsOfAGoldenFileAreIntegers() throws {
    let read = try Safetensors(contentsOf: SharedFiles.url("golden/unet_tiny/golden.safetensors"))
    #expect(try read.integers(named: "timesteps") == [10, 500])
  }
}
