import Foundation
import Tensors
import TestSupport
import Testing

struct ByteSourceTests {
  @Test func filesAndMemoryGiveTheSameBytes() throws {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try withTemporaryFolder { (folder: URL) throws in
      let url = folder.appending(path: "bytes")
      try Data(bytes).write(to: url)
      for source in [ByteSource(bytes), try ByteSource(contentsOf: url)] {
        #expect(source.byteCount == 1000)
        for range in [0..<1000, 0..<0, 1000..<1000, 17..<400] {
          #expect(try source.bytes(in: range) == Array(bytes[range]))
        }
        #expect(throws: ByteSourceError.self) { try source.bytes(in: 999..<1001) }
      }
    }
  }

  @Test func aPartOfAFileIsReadLikeAFile() throws {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try withTemporaryFolder { (folder: URL) throws in
      let url = folder.appending(path: "bytes")
      try Data(bytes).write(to: url)
      let source = try ByteSource(contentsOf: url, in: 300..<700)
      #expect(source.byteCount == 400)
      #expect(try source.bytes(in: 0..<400) == Array(bytes[300..<700]))
      #expect(try source.bytes(in: 17..<18) == [bytes[317]])
      #expect(throws: ByteSourceError.self) { try source.bytes(in: 399..<401) }
      #expect(throws: ByteSourceError.self) { try ByteSource(contentsOf: url, in: 999..<1001) }
      #expect(try ByteSource(contentsOf: url, in: 1000..<1000).byteCount == 0)
    }
  }

  @Test func aFileThatIsCutShortIsAnError() throws {
    try withTemporaryFolder { (folder: URL) throws in
      let url = folder.appending(path: "bytes")
      try Data([1, 2, 3]).write(to: url)
      let source = try ByteSource(contentsOf: url)
      let handle = try FileHandle(forWritingTo: url)
      try handle.truncate(atOffset: 1)
      #expect(throws: ByteSourceError(name: url.path, reason: "was cut short while it was read")) {
        try source.bytes(in: 0..<3)
      }
    }
  }

  @Test(arguments: ["/nonexistent/file", "/dev/zero", "/tmp"])
  func whatIsNoFileIsRefused(path: String) {
    let error = #expect(throws: ByteSourceError.self) {
      try ByteSource(contentsOf: URL(filePath: path))
    }
    #expect(error?.name == path)
  }
}
