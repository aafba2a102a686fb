import Foundation

/// Where a program says what isn't its result.
enum StandardError {
  /// Writes a line.
  static func write(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}
