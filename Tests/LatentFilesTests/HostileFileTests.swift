import LatentFiles
import Tensors
import Testing

@Suite struct HostileFileTests {
  @Test(arguments: [LatentStorage.int8, .int4, .f16], [0, 16])
  func everyPrefixIsRefused(storage: LatentStorage, alphaBitDepth: Int) throws {
    let bytes = try Samples.file(storage: storage, alphaBitDepth: alphaBitDepth).encoded()
    for count in bytes.indices {
      #expect(throws: LatentFileError.self, "\(count) of \(bytes.count) bytes") {
        try LatentFile(decoding: Array(bytes[..<count]))
      }
    }
  }

  /// A few bits inside a zstd frame mean nothing to its reader: those may change, the rest may not.
  @Test(arguments: LatentStorage.allCases)
  func noFlippedBitChangesWhatIsRead(storage: LatentStorage) throws {
    let file = try Samples.file(
      height: 3, width: 5, channelCount: 2, storage: storage, alphaBitDepth: 8)
    let bytes = try file.encoded()
    var acceptedCount = 0
    for bit in 0..<8 * bytes.count {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      do {
        let isEqual = try LatentFile(decoding: damaged) == file
        #expect(isEqual, "bit \(bit % 8) of byte \(bit / 8)")
        acceptedCount += 1
      } catch {
        continue
      }
    }
    #expect(acceptedCount < 16)
  }

  /// Nothing in the header is without meaning.
  @Test func everyFlippedBitOfTheHeaderIsRefused() throws {
    let file = try Samples.file(height: 3, width: 5, channelCount: 2)
    let bytes = try file.encoded()
    let headerByteCount = Handmade.headerFrame(try LatentFile.readHeader(decoding: bytes).json)
      .count
    for bit in 0..<8 * headerByteCount {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: LatentFileError.self, "bit \(bit % 8) of byte \(bit / 8)") {
        try LatentFile.readHeader(decoding: damaged)
      }
    }
  }

  @Test func whatFollowsIsRefused() throws {
    let bytes = try Samples.file().encoded()
    #expect(throws: LatentFileError.trailingBytes(count: 1)) {
      try LatentFile(decoding: bytes + [0])
    }
    #expect(throws: LatentFileError.trailingBytes(count: bytes.count)) {
      try LatentFile(decoding: bytes + bytes)
    }
  }

  @Test(arguments: [
    [], [0x89], Array("PK\u{3}\u{4}".utf8), [UInt8](repeating: 0, count: 4096),
    [0x28, 0xB5, 0x2F, 0xFD, 0x04, 0x00], [0x5C, 0x2A, 0x4D, 0x18, 0xFF, 0xFF, 0xFF, 0xFF],
    [0x5C, 0x2A, 0x4D, 0x18, 0x00, 0x00, 0x00, 0x00],
    [0x5C, 0x2A, 0x4D, 0x18, 0x0C, 0x00, 0x00, 0x00] + [UInt8](repeating: 0x41, count: 12),
  ])
  func otherBytesAreRefused(bytes: [UInt8]) {
    #expect(throws: LatentFileError.self) { try LatentFile(decoding: bytes) }
  }

  @Test func limitsAreChecked() throws {
    let bytes = try Samples.file(height: 5, width: 7).encoded()
    for limits in [
      LatentFileLimits(headerByteCount: 100), LatentFileLimits(payloadByteCount: 139),
      LatentFileLimits(planeCount: 3), LatentFileLimits(extent: 6), LatentFileLimits(extent: 52),
    ] {
      let error = #expect(throws: LatentFileError.self) {
        try LatentFile(decoding: bytes, limits: limits)
      }
      guard case .overLimit = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    let exact = LatentFileLimits(payloadByteCount: 140, planeCount: 4, extent: 53)
    _ = try LatentFile(decoding: bytes, limits: exact)
  }

  /// Frames that were written for another header: their sizes, and their order, don't fit.
  @Test func aFrameWithOtherContentIsRefused() throws {
    let small = try Samples.file(height: 5, width: 7)
    let large = try Samples.file(height: 500, width: 700)
    let header = Handmade.headerFrame(try LatentFile.readHeader(decoding: small.encoded()).json)
    let frames = try Handmade.frames(large.encoded())
    #expect(
      throws: LatentFileError.damagedPlane(
        index: 0, reason: "its frame holds 350000 bytes instead of 35")
    ) {
      try LatentFile(decoding: header + frames)
    }
  }

  /// A frame whose header announces 35 bytes and whose one block repeats a byte 100000 times.
  @Test func aBombIsRefused() throws {
    let json = try LatentFile.readHeader(decoding: Samples.file().encoded()).json
    let repeated = UInt32(1 | 1 << 1 | 100_000 << 3)
    let block = (0..<3).map { UInt8(truncatingIfNeeded: repeated >> (8 * $0)) } + [0]
    let bomb: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x24, 35] + block + [0, 0, 0, 0]
    let error = #expect(throws: LatentFileError.self) {
      try LatentFile(decoding: Handmade.headerFrame(json) + bomb)
    }
    guard case .damagedPlane(index: 0, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  /// A frame without content size, without checksum, or with a dictionary is not ours.
  @Test(arguments: [[UInt8](arrayLiteral: 0x04, 0x00), [0x20, 35], [0x25, 1, 35]])
  func otherFramesAreRefused(descriptor: [UInt8]) throws {
    let json = try LatentFile.readHeader(decoding: Samples.file().encoded()).json
    let block: [UInt8] = [1 | 35 << 3, 1, 0] + [UInt8](repeating: 0, count: 35 + 4)
    let frame = [0x28, 0xB5, 0x2F, 0xFD] + descriptor + block
    #expect(throws: LatentFileError.self) {
      try LatentFile(decoding: Handmade.headerFrame(json) + frame)
    }
  }

  /// `int5` has the codes 0…31 and is stored a byte a code.
  @Test func codesThatTheStorageHasNotAreRefused() throws {
    let bytes = try Samples.file(storage: .int8).encoded()
    let json = try LatentFile.readHeader(decoding: bytes).json
      .replacing("\"int8\"", with: "\"int5\"")
    let error = #expect(throws: LatentFileError.self) {
      try LatentFile(decoding: Handmade.headerFrame(json) + Handmade.frames(bytes))
    }
    #expect(
      error == .damagedPlane(index: 0, reason: "it holds codes that int5 has not"))
  }

  @Test func storedInfinitiesAreRefused() throws {
    // The greatest numbers of bf16 are NaN when they are read as f16.
    let file = LatentFile(
      metadata: Samples.metadata(height: 2, width: 2),
      latent: try LatentQuantizer(storage: .bf16).quantize(
        .init(repeating: 0x1p127, shape: [1, 2, 2, 1])))
    let bytes = try file.encoded()
    let json = try LatentFile.readHeader(decoding: bytes).json
      .replacing("\"bf16\"", with: "\"f16\"")
    #expect(throws: LatentFileError.nonFiniteValue(channel: 0)) {
      try LatentFile(decoding: Handmade.headerFrame(json) + Handmade.frames(bytes))
    }
  }
}

/// Files that no writer makes.
enum Handmade {
  /// The first frame with this text for a header, its checksum right.
  static func headerFrame(_ json: String) -> [UInt8] {
    headerFrame(Array(json.utf8))
  }

  /// The first frame with these bytes for a header, its checksum right.
  static func headerFrame(_ text: [UInt8]) -> [UInt8] {
    var frame: [UInt8] = [0x5C, 0x2A, 0x4D, 0x18] + littleEndian(UInt32(text.count + 12))
    frame += [0x89, 0x4C, 0x56, 0x41, 0x45, 0x0D, 0x0A, 0x1A] + text
    return frame + littleEndian(CRC32.checksum(frame.span))
  }

  /// What follows the first frame.
  static func frames(_ bytes: [UInt8]) throws -> [UInt8] {
    let header = headerFrame(try LatentFile.readHeader(decoding: bytes).json)
    #expect(bytes.starts(with: header))
    return Array(bytes[header.count...])
  }

  private static func littleEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
