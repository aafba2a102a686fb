import Foundation

/// A folder that goes with the value.
public final class TemporaryFolder {
  /// Where it is.
  public let path: String

  /// A new, empty folder.
  public init() throws {
    path =
      FileManager.default.temporaryDirectory.path(percentEncoded: false)
      + "lvae-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { remove() }

  /// Removes it now, which a process that exits must do itself.
  public func remove() {
    // Foundation gives up on folders deeper than the longest path.
    let command = Process()
    command.executableURL = URL(filePath: "/bin/rm")
    command.arguments = ["-rf", path]
    try? command.run()
    command.waitUntilExit()
  }

  /// A path in it.
  public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Makes empty files, and the folders they lie in.
  public func add(_ names: String...) throws {
    for name in names { try write(name, "") }
  }

  /// Makes a file of text, and the folders it lies in.
  public func write(_ name: String, _ text: String) throws {
    let folder = URL(filePath: self(name)).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: self(name)))
  }

  /// Makes a symbolic link.
  public func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: self(name), withDestinationPath: target)
  }

  /// A file of text.
  public func text(_ name: String) throws -> String {
    try String(contentsOfFile: self(name), encoding: .utf8)
  }

  /// Every name in the folder itself, hidden ones too, sorted.
  public func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}
