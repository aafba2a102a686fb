import Foundation
import Pipelines

/// The classes of latents, or of pictures.
struct LatentLabels {
  /// The class of each file, as a place in `classNames`; nil without classes.
  let labels: [Int]?
  /// The classes in alphabetical order.
  let classNames: [String]

  /// The classes of files with these names.
  ///
  /// - Throws: ``TrainingDataError/labels(path:reason:)``.
  init(_ source: LatentSet.Labels, names: [String]) throws(TrainingDataError) {
    let found: [String]?
    switch source {
    case .none: found = nil
    case .folders:
      let folders = names.map { (($0 as NSString).deletingLastPathComponent as NSString) }
        .map(\.lastPathComponent)
      found = folders.allSatisfy(\.isEmpty) ? nil : folders
      if let found, let index = found.firstIndex(of: "") {
        throw .labels(
          path: names[index],
          reason: "lies in no folder, and so has no class, where others have; move it into one, or "
            + "leave classes out with --labels none")
      }
    case .file(let path): found = try Self.classes(in: path, of: names)
    }
    classNames = Set(found ?? []).sorted()
    let places = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, $0) })
    labels = found?.compactMap { places[$0] }
  }

  /// A file's class by its path without its extensions.
  private static func classes(
    in path: String, of names: [String]
  ) throws(TrainingDataError) -> [String] {
    let text: String
    do {
      text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
    } catch {
      throw .labels(
        path: path, reason: "can't be read as text; give a CSV file of names and classes")
    }
    var classes: [String: String] = [:]
    for (number, line) in text.split(whereSeparator: \.isNewline).enumerated() {
      // Names may hold commas; classes may not.
      guard let comma = line.lastIndex(of: ",") else {
        throw .labels(
          path: path, reason: "line \(number + 1) has no comma; a name and a class are expected")
      }
      let name = line[..<comma].trimmingCharacters(in: Self.padding)
      classes[stem(of: name)] = line[line.index(after: comma)...].trimmingCharacters(
        in: Self.padding)
    }
    var found: [String] = []
    for name in names {
      let stem = stem(of: name)
      // `photo.png.latent` is of `photo.png`.
      guard let label = classes[stem] ?? classes[Self.stem(of: stem)] else {
        throw .labels(
          path: path, reason: "has no line for \(name); add one, or move the file away")
      }
      found.append(label)
    }
    return found
  }

  private static let padding = CharacterSet.whitespaces.union(CharacterSet(charactersIn: "\""))

  private static func stem(of path: String) -> String {
    (path as NSString).deletingPathExtension
  }
}
