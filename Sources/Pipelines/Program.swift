/// What this program calls itself.
public enum Program {
  /// The version, as in CHANGELOG.md.
  public static let version = "0.1.0"
  /// As it is written into files.
  public static let nameAndVersion = "lvae \(version)"
}
