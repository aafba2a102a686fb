import Foundation
import Images
import TestSupport
import Testing

@Suite struct ImageReadingTests {
  /// A PNG whose header announces a size, and that holds almost nothing.
  static func headerFile(width: Int, height: Int) throws -> [UInt8] {
    var chunks = PNGChunks(try Image.noise(width: 1, height: 1).encoded(as: .png()))
    chunks.chunks[0].contents.replaceSubrange(0..<8, with: bigEndian(width) + bigEndian(height))
    return chunks.file
  }

  @Test func aHeaderIsComparedWithTheLimit() throws {
    let file = try Self.headerFile(width: 50_000, height: 50_000)
    #expect(throws: ImageError.tooManyPixels(width: 50_000, height: 50_000, limit: 1 << 28)) {
      try Image(decoding: file)
    }
    let small = try Image.noise(width: 10, height: 10).encoded(as: .jpeg())
    #expect(throws: ImageError.tooManyPixels(width: 10, height: 10, limit: 99)) {
      try Image(decoding: small, limits: ImageLimits(maximumPixelCount: 99))
    }
    _ = try Image(decoding: small, limits: ImageLimits(maximumPixelCount: 100))
  }

  @Test func aLargeHeaderWithoutPixelsIsRefusedQuickly() throws {
    let file = try Self.headerFile(width: 16_000, height: 16_000)
    let time = ContinuousClock().measure {
      #expect(throws: ImageError.self) { try Image(decoding: file) }
    }
    #expect(time < .seconds(1))
  }

  @Test func aFileBeyondTheLimitIsNotRead() throws {
    let file = try Image.noise(width: 10, height: 10).encoded(as: .png())
    let limits = ImageLimits(maximumByteCount: 100)
    #expect(throws: ImageError.tooManyBytes(count: file.count, limit: 100)) {
      try Image(decoding: file, limits: limits)
    }
  }

  @Test func whatIsNoPictureIsRefused() {
    #expect(throws: ImageError.empty) { try Image(decoding: []) }
    #expect(throws: ImageError.unknownFormat) { try Image(decoding: Array("hello".utf8)) }
    #expect(throws: ImageError.truncated(.jpeg)) { try Image(decoding: [0xFF, 0xD8]) }
  }

  @Test func filesAreReadByTheirContents() throws {
    try withTemporaryFolder { (folder: URL) throws in
      let image = Image.noise(width: 3, height: 4)
      let url = folder.appending(path: "picture.jpg")
      try Data(image.encoded(as: .png())).write(to: url)
      let read = try Image(contentsOf: url)
      #expect(read.samples == image.samples)
      #expect(read.source.format == .png)
      for path in [folder, folder.appending(path: "missing.png"), URL(filePath: "/dev/zero")] {
        let error = #expect(throws: ImageError.self) { try Image(contentsOf: path) }
        guard case .unreadable(path.path, _) = error else {
          Issue.record("\(String(describing: error))")
          continue
        }
      }
    }
  }

  /// A file of holes that no memory could hold.
  @Test func aFileBeyondTheLimitIsRefusedByItsSize() throws {
    try withTemporaryFile([]) { (url: URL) throws in
      let handle = try FileHandle(forWritingTo: url)
      try handle.truncate(atOffset: 1 << 40)
      #expect(throws: ImageError.tooManyBytes(count: 1 << 40, limit: 1 << 30)) {
        try Image(contentsOf: url)
      }
    }
  }
}
