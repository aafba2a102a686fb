/// Paths as text: what can be said of them without asking the system.
enum PathText {
  /// `folder/name`.
  static func join(_ folder: String, _ name: String) -> String {
    if folder.isEmpty || folder == "." { return name }
    return folder.utf8.last == slash ? folder + name : folder + "/" + name
  }

  /// What follows the last slash.
  ///
  /// Trailing slashes don't count; empty for `/`.
  static func name(of path: String) -> String {
    let bytes = path.utf8
    guard let last = bytes.lastIndex(where: { $0 != slash }) else { return "" }
    let trimmed = path[...last]
    guard let cut = trimmed.utf8.lastIndex(of: slash) else { return String(trimmed) }
    return String(trimmed[trimmed.utf8.index(after: cut)...])
  }

  /// The folder that a path's last part lies in; nil for `/`, which lies in none.
  static func parent(of path: String) -> String? {
    let bytes = path.utf8
    guard let last = bytes.lastIndex(where: { $0 != slash }) else {
      return path.isEmpty ? "." : nil
    }
    guard let cut = path[...last].utf8.lastIndex(of: slash) else { return "." }
    guard let end = path[..<cut].utf8.lastIndex(where: { $0 != slash }) else { return "/" }
    return String(path[...end])
  }

  /// A name's extension in lower case, without the dot; nil for `name`, `.name` and `name.`.
  static func fileExtension(of name: String) -> String? {
    let bytes = name.utf8
    guard let dot = bytes.lastIndex(of: 0x2E), dot != bytes.startIndex,
      name[..<dot].utf8.last != slash
    else { return nil }
    let text = name[bytes.index(after: dot)...]
    return text.isEmpty || text.utf8.contains(slash) ? nil : text.lowercased()
  }

  /// `path` without its extension, which must be one of `extensions`; else `path` itself.
  static func removingExtension(_ path: String, of extensions: Set<String>) -> String {
    guard let found = fileExtension(of: path), extensions.contains(found),
      let dot = path.utf8.lastIndex(of: 0x2E)
    else { return path }
    return String(path[..<dot])
  }

  /// Whether a path is relative and has no part that leads up, so that it stays below the folder
  /// that it is taken from.
  static func staysBelow(_ path: String) -> Bool {
    !path.isEmpty && path.utf8.first != slash && !path.utf8.contains(0)
      && path.split(separator: "/", omittingEmptySubsequences: true).allSatisfy { $0 != ".." }
  }

  private static let slash: UInt8 = 0x2F
}
