import Foundation
import Images
import Pipelines
import Synchronization
import Tensors
import Training

/// What the command line lets clients see: files of its folders, and runs of training.
///
/// Clients name files and runs by identifiers that are handed out with lists: a path from a request
/// is never followed.
final class OpenFolders: Sendable {
  /// A file that may be looked at.
  struct File: Sendable {
    let identifier: String
    let input: InputFile
    let isLatent: Bool
  }

  /// A run that may be looked at.
  struct Run: Sendable {
    let identifier: String
    let folder: RunFolder
  }

  private struct State {
    var files: [File] = []
    var places: [String: Int] = [:]
  }

  private let roots: [String]
  private let runRoots: [String]
  /// The only folder that is written to.
  let workspace: String?
  private let state = Mutex(State())

  /// - Throws: ``StudioError`` for what isn't a folder.
  init(_ folders: [String], workspace: String?) throws {
    for folder in folders where !Self.isFolder(folder) { throw StudioError.noFolder(folder) }
    if let workspace {
      try FileManager.default.createDirectory(
        atPath: workspace, withIntermediateDirectories: true)
    }
    self.workspace = workspace
    runRoots = folders
    roots =
      folders.filter { !RunFolder(path: $0).isStarted } + (workspace.map { [$0] } ?? [])
  }

  private static func isFolder(_ path: String) -> Bool {
    let values = try? URL(filePath: path).resolvingSymlinksInPath()
      .resourceValues(forKeys: [.isDirectoryKey])
    return values?.isDirectory == true
  }

  /// Whether there are folders with files to be seen.
  var hasFolders: Bool { !roots.isEmpty }

  // MARK: Files

  private static let latentExtension = "latent"
  private static let extensions = Set(
    ImageFormat.allCases.flatMap(\.fileExtensions) + [latentExtension])

  /// Walks the folders anew: all files, in the order of their names.
  func walk() -> [File] {
    let found = (try? InputWalker.expand(roots, extensions: Self.extensions))?.files ?? []
    let files = found.map { input in
      File(
        identifier: Self.identifier(input.path), input: input,
        isLatent: input.path.lowercased().hasSuffix(".\(Self.latentExtension)"))
    }
    let places = Dictionary(
      files.indices.map { (files[$0].identifier, $0) }, uniquingKeysWith: { first, _ in first })
    state.withLock { $0 = State(files: files, places: places) }
    return files
  }

  /// A file that a list named.
  ///
  /// - Throws: ``Problem`` 404.
  func file(_ identifier: String) throws(Problem) -> File {
    let file = state.withLock { state in state.places[identifier].map { state.files[$0] } }
    guard let file else { throw .notFound("there is no such file; fetch the list again") }
    return file
  }

  private static func identifier(_ path: String) -> String {
    String(SHA256.hexadecimal(of: Array(path.utf8)).prefix(20))
  }

  // MARK: Runs

  /// The runs: folders of the command line, and those within them.
  var runs: [Run] {
    var runs: [Run] = []
    for root in runRoots {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
      let paths = [root] + names.sorted().map { "\(root)/\($0)" }
      for path in paths where RunFolder(path: path).isStarted {
        runs.append(Run(identifier: Self.identifier(path), folder: RunFolder(path: path)))
      }
    }
    return runs
  }

  /// A run that a list named.
  ///
  /// - Throws: ``Problem`` 404.
  func run(_ identifier: String) throws(Problem) -> RunFolder {
    guard let run = runs.first(where: { $0.identifier == identifier }) else {
      throw .notFound("there is no such run; fetch the list again")
    }
    return run.folder
  }

  // MARK: Writing

  /// Writes a new file to the workspace.
  ///
  /// - Throws: ``Problem`` 404 without a workspace, 400 for a name that isn't one, 409 for a name
  ///   that is taken; `FileError`.
  func save(_ bytes: [UInt8], as name: String) throws {
    guard let workspace else {
      throw Problem.notFound("there is no workspace; start the program with --workspace DIR")
    }
    let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard ModelStore.isName(name), name.contains("."), Self.extensions.contains(ending) else {
      throw Problem.badRequest(
        "\(name.quotedBriefly) is no name for a file here: letters, digits, '.', '_' and '-', and "
          + "one of the endings \(Self.extensions.sorted().joined(separator: ", "))")
    }
    let path = "\(workspace)/\(name)"
    guard !FileManager.default.fileExists(atPath: path) else {
      throw Problem(status: 409, detail: "\(name) is there already; choose another name")
    }
    try AtomicFile.write(bytes, to: path)
  }
}

extension RunFolder {
  /// Whether a run has begun to write its log here.
  var isStarted: Bool { FileManager.default.fileExists(atPath: logPath) }
}

/// Why a server can't be started.
package enum StudioError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The path isn't a folder.
  case noFolder(String)
  /// The port is taken, or can't be.
  case noPort(host: String, port: UInt16, reason: String)
  /// An address that other machines reach needs a token.
  case noAddress(String)

  package var description: String {
    switch self {
    case .noFolder(let path): "\(path) is no folder; name folders with pictures, latents or runs"
    case .noPort(let host, let port, let reason):
      "cannot listen at \(host), port \(port): \(reason); choose another with --port"
    case .noAddress(let host):
      "\(host) is no IPv4 address; give one of this machine, or 0.0.0.0 for all"
    }
  }
}
