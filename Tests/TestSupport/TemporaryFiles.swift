public import Foundation

/// Calls `body` with a new folder that is removed afterwards.
public func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "lvae-tests-\(UUID().uuidString)", directoryHint: .isDirectory)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}

/// Calls `body` with a file that holds these bytes, and is removed afterwards.
public func withTemporaryFile(_ bytes: [UInt8], _ body: (URL) throws -> Void) throws {
  try withTemporaryFolder { folder in
    let url = folder.appending(path: "bytes")
    try Data(bytes).write(to: url)
    try body(url)
  }
}
