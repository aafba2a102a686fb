import Foundation

/// The most memory that this process has held: the kernel's `VmHWM`.
package enum PeakMemory {
  /// In bytes, since the process began; nil where the system doesn't tell.
  package static var byteCount: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first
    else { return nil }
    return Int(kilobytes).map { $0 * 1024 }
  }
}
