import Foundation
import LatentFiles
import Tensors
import TestSupport
import Testing

@Suite struct SHA256FilesTests {
  @Test(arguments: [0, 1, 1 << 20, 3_000_001])
  func theDigestOfAFileIsThatOfItsBytes(byteCount: Int) throws {
    let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try withTemporaryFolder { (folder: URL) throws in
      let url = folder.appending(path: "bytes")
      try Data(bytes).write(to: url)
      #expect(try SHA256.hexadecimal(ofFileAt: url) == SHA256.hexadecimal(of: bytes))
    }
  }

  @Test func aMissingFileIsNamed() {
    let url = URL(filePath: "/nonexistent/weights")
    let error = #expect(throws: LatentFileError.self) { try SHA256.hexadecimal(ofFileAt: url) }
    #expect(error?.description.contains("/nonexistent/weights") == true)
  }
}
