import Foundation
import Pipelines

/// A latent or a picture, of which the class is asked.
struct LabelledFile {
  /// What messages call it.
  let name: String
  /// Its path in the folder or in the tar.
  let path: String
  /// The class that a member beside it names.
  var className: String?
}

/// The classes of latents, or of pictures.
struct LatentLabels {
  /// The class of each file, as a place in `classNames`; nil without classes.
  let labels: [Int]?
  /// The classes in alphabetical order, or by value if all are whole numbers.
  let classNames: [String]

  /// The classes of files.
  ///
  /// - Throws: ``TrainingDataError/labels(path:reason:)``.
  init(_ source: LatentSet.Labels, of files: [LabelledFile]) throws(TrainingDataError) {
    let found: [String]?
    switch source {
    case .none: found = nil
    case .folders: found = try Self.ownClasses(of: files)
    case .file(let path): found = try ClassFile(path: path).classes(of: files)
    }
    classNames = Self.sorted(Set(found ?? []))
    let places = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, $0) })
    labels = found?.compactMap { places[$0] }
  }

  private static func sorted(_ names: Set<String>) -> [String] {
    let numbered = names.compactMap { name in Int(name).map { (number: $0, name: name) } }
    guard numbered.count == names.count else { return names.sorted() }
    // 07 and 7 are two classes.
    return numbered.sorted { ($0.number, $0.name) < ($1.number, $1.name) }.map(\.name)
  }

  /// What shards and folders say.
  private static func ownClasses(
    of files: [LabelledFile]
  ) throws(TrainingDataError) -> [String]? {
    let found = files.map { file in
      file.className
        ?? ((file.path as NSString).deletingLastPathComponent as NSString)
        .lastPathComponent
    }
    guard let index = found.firstIndex(of: "") else { return found }
    guard found.allSatisfy(\.isEmpty) else {
      throw .labels(
        path: files[index].name,
        reason:
          "lies in no folder and has no .cls member, and so no class, where others have; give "
          + "it one, or leave classes out with --labels none")
    }
    return nil
  }
}

/// A CSV file of names and classes.
private struct ClassFile {
  private let path: String
  /// By the names as they stand there.
  private var classes: [String: String] = [:]
  /// By the names without their extensions; nil where these are of several classes.
  private var stemClasses: [String: String?] = [:]

  private static let padding = CharacterSet.whitespaces.union(CharacterSet(charactersIn: "\""))
  private static let byteOrderMark = "\u{FEFF}"

  init(path: String) throws(TrainingDataError) {
    self.path = path
    var text: String
    do {
      text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
    } catch {
      throw .labels(
        path: path, reason: "can't be read as text; give a CSV file of names and classes")
    }
    if text.hasPrefix(Self.byteOrderMark) { text.removeFirst() }
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, line) in zip(1..., lines) where !line.allSatisfy(\.isWhitespace) {
      try add(line, number: number)
    }
  }

  private mutating func add(_ line: Substring, number: Int) throws(TrainingDataError) {
    // Names may hold commas; classes may not.
    guard let comma = line.lastIndex(of: ",") else {
      throw .labels(
        path: path, reason: "line \(number) has no comma; a name and a class are expected")
    }
    let name = line[..<comma].trimmingCharacters(in: Self.padding)
    let label = line[line.index(after: comma)...].trimmingCharacters(in: Self.padding)
    guard !name.isEmpty, !label.isEmpty else {
      throw .labels(
        path: path, reason: "line \(number) lacks a name or a class; both are expected")
    }
    guard classes[name] == nil || classes[name] == label else {
      throw .labels(
        path: path,
        reason: "line \(number) gives \(name) the class \(label), and an earlier one "
          + "\(classes[name] ?? ""); keep one of them")
    }
    classes[name] = label
    let stem = Self.stem(of: name)
    let earlier = stemClasses[stem] ?? label
    stemClasses.updateValue(earlier == label ? label : nil, forKey: stem)
  }

  /// The class of each file.
  ///
  /// - Throws: ``TrainingDataError/labels(path:reason:)`` where one has none.
  func classes(of files: [LabelledFile]) throws(TrainingDataError) -> [String] {
    var found: [String] = []
    for file in files {
      let stem = Self.stem(of: file.path)
      // `photo.latent` and `photo.png.latent` are of `photo.png`.
      let label =
        classes[file.path] ?? classes[stem] ?? (stemClasses[stem] ?? nil)
        ?? (stemClasses[Self.stem(of: stem)] ?? nil)
      guard let label else {
        throw .labels(
          path: path,
          reason:
            "has no line for \(file.path), or several classes for names like it; add a line "
            + "with this name, or move the file away")
      }
      found.append(label)
    }
    return found
  }

  private static func stem(of path: String) -> String {
    (path as NSString).deletingPathExtension
  }
}
