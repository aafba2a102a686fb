import Foundation

extension Duration {
  /// The whole length in seconds.
  package var inSeconds: Double { self / .seconds(1) }

  /// For a person who waits: `0:46`, `12:05`, `3:07:00`, `2d 3h`.
  package var clockText: String {
    guard inSeconds < 1e12 else { return "forever" }
    let seconds = Int(max(0, inSeconds).rounded())
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
    if days > 0 { return "\(days)d \(hours % 24)h" }
    func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if hours > 0 { return "\(hours):\(twoDigits(minutes % 60)):\(twoDigits(seconds % 60))" }
    return "\(minutes):\(twoDigits(seconds % 60))"
  }

  /// For a summary: `85 ms`, `4.2 s`, `12:05`.
  package var summaryText: String {
    let seconds = inSeconds
    if seconds < 0.9995 { return "\((seconds * 1000).text(digits: 0)) ms" }
    if seconds < 59.95 { return "\(seconds.text(digits: 1)) s" }
    return clockText
  }
}

extension Double {
  /// With so many digits after the point, the same in every language.
  package func text(digits: Int) -> String {
    String(format: "%.\(digits)f", locale: Locale(identifier: "en_US_POSIX"), self)
  }
}
