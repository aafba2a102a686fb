package import Foundation

/// A file to work on.
package struct InputFile: Hashable, Sendable {
  /// Where it is: the INPUT as the user wrote it, and the way below it.
  package var path: String
  /// Where it lies below the output folder: unique within one list.
  package var relativePath: String
  /// Where it lies in the tar at `path`; nil if it is a file of its own.
  package var member: TarPlace?

  package init(path: String, relativePath: String, member: TarPlace? = nil) {
    self.path = path
    self.relativePath = relativePath
    self.member = member
  }

  /// What messages call it: its path, and behind a tar's that of the member.
  package var label: String { member.map { "\(path): \($0.name)" } ?? path }

  /// Where it is, as a URL; of a member its tar.
  package var url: URL { URL(filePath: path, directoryHint: .notDirectory) }
}

/// Something that could not be taken, and why.
package struct InputFailure: Equatable, Sendable {
  /// The file or folder.
  package var path: String
  /// What is wrong with it.
  package var reason: String
}

/// What the INPUT arguments stand for.
package struct InputList: Equatable, Sendable {
  /// The files, in the order of the arguments and, in folders, by name.
  package var files: [InputFile] = []
  /// What is missing or unreadable: to be listed as failed, while the files are worked on.
  package var failures: [InputFailure] = []
}

/// Why there is nothing to work on.
package enum InputError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No file was found.
  case nothingFound(extensions: [String], inputs: [String], failures: [InputFailure])

  package var description: String {
    switch self {
    case .nothingFound(let extensions, let inputs, let failures):
      let wanted = extensions.sorted().map { ".\($0)" }.joined(separator: ", ")
      let places = inputs.prefix(3).joined(separator: ", ") + (inputs.count > 3 ? ", …" : "")
      var text = "no files found in \(places); looked for \(wanted) (hidden files are left out)"
      for failure in failures.prefix(10) {
        text += "\n  \(RunSummary.Failure(path: failure.path, reason: failure.reason))"
      }
      return text
    }
  }
}

/// Expands INPUT arguments into a list of files that is the same on every run.
///
/// - Folders are walked recursively, their entries in the order of their names' bytes. Hidden
///   entries are left out, and files whose extension is not wanted. Links to folders are followed;
///   a folder that was walked already, under whatever name, is not walked again, so links that
///   lead back end, and a folder that is given twice counts once.
/// - A file that is named is taken, whatever its extension.
/// - One INPUT folder is mirrored as it is. With several, each is mirrored below its own name (as
///   `cp -r` does), so that equal names in them stay apart; a name that is still taken gets a
///   number: `x.jpg`, `x-2.jpg`.
package struct InputWalker {
  private let extensions: Set<String>
  private var list = InputList()
  private var walkedFolders: Set<FileIdentity> = []
  private var takenFiles: Set<TakenFile> = []
  private var takenPaths: Set<String> = []

  /// A file by its folder's identity and its own name: two links to one file are two files.
  private struct TakenFile: Hashable {
    var folder: FileIdentity
    var name: String
  }

  private init(extensions: Set<String>) {
    self.extensions = extensions
  }

  /// The files that `inputs` stand for.
  ///
  /// - Parameters:
  ///   - inputs: Paths of files and folders.
  ///   - extensions: Which files of a folder are wanted: lower case, without the dot.
  /// - Returns: The files, and what is missing or unreadable.
  /// - Throws: ``InputError`` if there is none at all.
  package static func expand(
    _ inputs: [String], extensions: Set<String>
  ) throws(InputError) -> InputList {
    var walker = InputWalker(extensions: extensions)
    var folders: Set<FileIdentity> = []
    let found = inputs.map { input in Result { try SystemCalls.status(of: input) } }
    for case .success(let status) in found where status.kind == .folder {
      folders.insert(status.identity)
    }
    for (input, status) in zip(inputs, found) {
      do {
        let status = try status.get()
        if status.kind == .folder {
          let name = folders.count > 1 ? walker.freePath(rootName(of: input)) : ""
          walker.walk(input, identity: status.identity, relativePath: name)
        } else {
          try walker.take(file: input)
        }
      } catch {
        walker.fail(input, error)
      }
    }
    guard !walker.list.files.isEmpty else {
      throw .nothingFound(
        extensions: Array(extensions), inputs: inputs, failures: walker.list.failures)
    }
    return walker.list
  }

  /// Whether a path is that of a folder, or of a link to one.
  package static func isFolder(_ path: String) -> Bool {
    (try? SystemCalls.status(of: path))?.kind == .folder
  }

  /// What an INPUT folder is called among several.
  private static func rootName(of input: String) -> String {
    var name = PathText.name(of: input)
    if ["", ".", ".."].contains(name), let real = try? SystemCalls.realPath(of: input) {
      name = PathText.name(of: real)
    }
    return name.isEmpty ? "root" : name
  }

  /// A file that the user named.
  private mutating func take(file path: String) throws(FileError) {
    let name = PathText.name(of: path)
    let folder = try SystemCalls.status(of: PathText.parent(of: path) ?? "/").identity
    guard takenFiles.insert(TakenFile(folder: folder, name: name)).inserted else { return }
    list.files.append(InputFile(path: path, relativePath: freePath(name)))
  }

  /// `path`, or if an earlier file is mirrored there, `path` with the first number that is free.
  private mutating func freePath(_ path: String) -> String {
    if takenPaths.insert(path).inserted { return path }
    let stem = PathText.removingExtension(path, of: extensions)
    let rest = path.dropFirst(stem.count)
    var number = 2
    while !takenPaths.insert("\(stem)-\(number)\(rest)").inserted { number += 1 }
    return "\(stem)-\(number)\(rest)"
  }

  private mutating func walk(_ folder: String, identity: FileIdentity, relativePath: String) {
    guard walkedFolders.insert(identity).inserted else { return }
    var entries: [SystemCalls.FolderEntry]
    do {
      entries = try SystemCalls.entries(ofFolder: folder)
    } catch {
      return fail(folder, error)
    }
    entries.removeAll { $0.name.first == UInt8(ascii: ".") }
    entries.sort { $0.name.lexicographicallyPrecedes($1.name) }
    for entry in entries {
      guard let name = String(validating: entry.name, as: UTF8.self) else {
        let shown = PathText.join(folder, String(decoding: entry.name, as: UTF8.self))
        list.failures.append(
          InputFailure(path: shown, reason: "its name is not UTF-8; rename it"))
        continue
      }
      visit(name, entry.kind, in: folder, identity: identity, relativePath: relativePath)
    }
  }

  /// One entry of a folder.
  private mutating func visit(
    _ name: String, _ kind: FileKind, in folder: String, identity: FileIdentity,
    relativePath: String
  ) {
    let isWanted = PathText.fileExtension(of: name).map(extensions.contains) ?? false
    if kind == .file && !isWanted || kind == .other { return }
    let path = PathText.join(folder, name)
    let below = PathText.join(relativePath, name)
    var kind = kind
    if kind != .file {
      do {
        let status = try SystemCalls.status(of: path)
        kind = status.kind
        if kind == .folder { return walk(path, identity: status.identity, relativePath: below) }
      } catch {
        // A link that leads nowhere matters only if it stands for a wanted file.
        if isWanted || kind == .folder { fail(path, error) }
        return
      }
    }
    guard kind == .file, isWanted,
      takenFiles.insert(TakenFile(folder: identity, name: name)).inserted
    else { return }
    list.files.append(InputFile(path: path, relativePath: freePath(below)))
  }

  private mutating func fail(_ path: String, _ error: any Error) {
    list.failures.append(InputFailure(path: path, reason: "\(error)"))
  }
}
