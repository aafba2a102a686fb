/// The names by which tars are known.
package enum TarNames {
  private static let plain = ".tar"
  private static let compressed = [".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2"]

  /// Whether a path is that of a tar, to go by its name.
  package static func isTar(_ path: String) -> Bool {
    let path = path.lowercased()
    return path.hasSuffix(plain) || compressed.contains(where: path.hasSuffix)
  }

  /// The name of the same tar when it isn't compressed as a whole: `a.tar` for `a.tgz`.
  package static func withoutCompression(_ path: String) -> String {
    guard let suffix = compressed.first(where: path.lowercased().hasSuffix) else { return path }
    return path.dropLast(suffix.count) + plain
  }
}
