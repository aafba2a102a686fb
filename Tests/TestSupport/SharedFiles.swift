public import Foundation

/// The reference outputs, weights and pictures that lie beside a developer's checkout.
///
/// A user's machine doesn't have them: tests that need them are skipped there, by
/// `.enabled(if: SharedFiles.exist, …)`.
public enum SharedFiles {
  /// The folder: `$LVAE_SHARED`, else `shared` beside the checkout.
  public static let root: URL = {
    if let path = ProcessInfo.processInfo.environment["LVAE_SHARED"] {
      return URL(filePath: path, directoryHint: .isDirectory)
    }
    return checkout.deletingLastPathComponent().appending(path: "shared")
  }()

  /// The checkout that these tests belong to.
  public static let checkout = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Whether they are here.
  public static let exist = FileManager.default.fileExists(
    atPath: root.appending(path: "golden/README.md").path)

  /// Why a test that needs them is skipped.
  public static let absence = "skipped: needs the reference files (set LVAE_SHARED to their folder)"

  /// One of them, by its path below the folder.
  public static func url(_ path: String) -> URL {
    root.appending(path: path)
  }
}
