import Foundation

/// The memory of this machine.
package enum SystemMemory {
  /// How many bytes can still be taken without swapping: the kernel's `MemAvailable`, or what the
  /// control group leaves if that is less; nil if neither is known.
  package static var availableByteCount: Int? {
    [machineByteCount, controlGroupByteCount].compactMap { $0 }.min()
  }

  /// How many bytes of this process are in memory; nil if that isn't known.
  package static var residentByteCount: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
      let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        .flatMap({ Int($0) })
    else { return nil }
    return kilobytes * 1024
  }

  private static var machineByteCount: Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
      let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return kilobytes * 1024
  }

  private static var controlGroupByteCount: Int? {
    func number(_ file: String) -> Int? {
      (try? String(contentsOfFile: "/sys/fs/cgroup/\(file)", encoding: .utf8))
        .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    guard let limit = number("memory.max"), let used = number("memory.current") else { return nil }
    return max(0, limit - used)
  }
}
