import Foundation

/// A file system of its own, if this user may mount one; the test is skipped otherwise.
public struct SmallDisk {
  private let path: String

  /// Mounts a memory file system over a new folder, with options of mount.
  public init?(at path: String, options: String) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard Self.run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]) else {
      print("skipped: this needs the right to mount a file system")
      return nil
    }
  }

  /// Takes it away.
  public func remove() {
    _ = Self.run("umount", [path])
  }

  private static func run(_ name: String, _ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
