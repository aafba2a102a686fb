import Foundation

/// Where a program says what isn't its result.
enum StandardError {
  /// Writes a line.
  static func write(_ line: String) {
    // A closed pipe is no reason to stop.
    try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
  }
}
