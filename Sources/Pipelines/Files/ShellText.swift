import Foundation

extension String {
  /// The word as a shell takes it: in quotes, if it needs them.
  package var quotedForShell: String {
    let isPlain = utf8.allSatisfy { byte in
      byte > 127
        || "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/,:=+@".utf8
          .contains(byte)
    }
    return isPlain && !isEmpty
      ? self : "'" + replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
