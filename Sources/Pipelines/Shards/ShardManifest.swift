import Foundation
import Tensors

/// What a shard's run says of itself: the first line of its manifest.
package struct ManifestHead: Codable, Equatable, Sendable {
  /// The autoencoder that was named, or is the default.
  package struct Model: Codable, Equatable, Sendable {
    /// Its name, for people.
    package var name: String
    /// The SHA-256 of its weights.
    package var sha256: String

    package init(name: String, sha256: String) {
      self.name = name
      self.sha256 = sha256
    }
  }

  /// The version of the manifest's form: 1.
  package var manifest = 1
  /// What was done: `encode` or `decode`.
  package var command: String
  /// The program and its version.
  package var program: String
  /// Which part, from 0.
  package var shard: Int
  /// How many parts there are.
  package var shards: Int
  /// The model; nil where each file names its own.
  package var model: Model?
  /// What the results depend on beside the model.
  package var settings: [String: String]
  /// How many inputs all parts have together.
  package var inputs: Int
  /// The SHA-256 of their relative paths, each ended by a newline.
  package var list: String

  package init(
    command: String, shard: Shard, model: Model?, settings: [String: String], paths: [String]
  ) {
    self.command = command
    program = Program.nameAndVersion
    self.shard = shard.index
    shards = shard.count
    self.model = model
    self.settings = settings
    inputs = paths.count
    list = Self.digest(of: paths)
  }

  /// What tells one list of inputs from another.
  package static func digest(of paths: [String]) -> String {
    var hash = SHA256()
    for path in paths { hash.update(Array((path + "\n").utf8)) }
    return hash.hexadecimal
  }

  /// The head of another part of the same run.
  func head(ofPart index: Int) -> ManifestHead {
    var head = self
    head.shard = index
    return head
  }
}

/// What became of one input: a line of a manifest.
package struct ManifestRecord: Codable, Equatable, Sendable {
  /// How it ended.
  package enum Status: String, Codable, Sendable {
    case done, failed
  }

  /// A member of a tar that failed.
  package struct Member: Codable, Equatable, Sendable {
    /// Its name in the tar.
    package var name: String
    /// Why.
    package var error: String

    package init(name: String, error: String) {
      self.name = name
      self.error = error
    }
  }

  /// The input's path below the folder that was given.
  package var path: String
  /// The SHA-256 of the input; nil if it couldn't be read.
  package var sha256: String?
  /// The output's path below the output folder.
  package var output: String?
  /// The output's size.
  package var bytes: Int?
  /// How it ended.
  package var status: Status
  /// Why it failed.
  package var error: String?
  /// How many members of a tar were made.
  package var members: Int?
  /// The members of a tar that failed.
  package var failedMembers: [Member]?

  package init(path: String, sha256: String? = nil, status: Status, error: String? = nil) {
    self.path = path
    self.sha256 = sha256
    self.status = status
    self.error = error
  }
}

extension ManifestRecord {
  /// What became of a file.
  ///
  /// - Parameters:
  ///   - file: The file, and its output.
  ///   - outcome: How it ended.
  ///   - sha256: The SHA-256 of the input, if it was read.
  ///   - results: The folder of results, as ``OutputPlan`` was given it.
  package init(
    _ file: PlannedFile, _ outcome: StageOutcome<some Sendable>, sha256: String?,
    in results: String
  ) {
    self.init(path: file.input.relativePath, sha256: sha256, status: .done)
    if case .failed(_, let error) = outcome {
      status = .failed
      self.error = "\(error)"
      return
    }
    setOutput(file.outputPath, in: results)
  }

  /// Notes an output that was written.
  package mutating func setOutput(_ path: String, in results: String) {
    // As PathText joins them.
    let folder = PathText.join(results, "x").dropLast()
    output = path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path
    bytes = (try? SystemCalls.status(of: path))?.byteCount
  }
}

/// Something that was found where inputs are, and can't be one: it belongs to no part.
struct ManifestUnlisted: Codable, Equatable, Sendable {
  var unlisted: String
  var error: String
}

/// The last line of a manifest, without which the run didn't come to its end.
struct ManifestEnd: Codable, Equatable, Sendable {
  var done: Int
  var failed: Int
}

/// Where the manifests of a folder of results lie.
package struct ManifestFolder: Sendable {
  /// The folder of results.
  package let results: String
  /// The folder of manifests, `.lvae` below it; walks leave it out since it is hidden.
  package let path: String

  /// The manifests of a folder of results.
  package init(results: String) {
    self.results = results
    path = PathText.join(results, ".lvae")
  }

  /// The manifest of a part.
  package func manifest(of shard: Shard) -> String {
    PathText.join(path, "manifest-\(shard.index)-of-\(shard.count).jsonl")
  }

  /// The manifest of all parts together, which `lvae merge` writes.
  package var mergedManifest: String { PathText.join(path, "manifest.jsonl") }

  /// The folder of the claims.
  package var claims: String { PathText.join(path, "claims") }

  /// Whether a part was worked on to its end, by a run with this head.
  package func isFinished(_ shard: Shard, as head: ManifestHead) -> Bool {
    guard let reader = try? ManifestReader(of: shard, in: self),
      reader.head == head.head(ofPart: shard.index)
    else { return false }
    return ManifestReader.hasEnd(manifest(of: shard))
  }

  /// The parts that have a manifest, in order.
  ///
  /// - Throws: ``FileError``.
  package func shards() throws(FileError) -> [Shard] {
    let entries: [SystemCalls.FolderEntry]
    do throws(FileError) {
      entries = try SystemCalls.entries(ofFolder: path)
    } catch {
      if error.code == SystemCalls.noSuchFile { return [] }
      throw error
    }
    return entries.compactMap { entry in
      String(validating: entry.name, as: UTF8.self).flatMap(Self.shard(ofManifestNamed:))
    }.sorted { ($0.count, $0.index) < ($1.count, $1.index) }
  }

  private static func shard(ofManifestNamed name: String) -> Shard? {
    guard name.hasPrefix("manifest-"), name.hasSuffix(".jsonl") else { return nil }
    let parts = name.dropFirst("manifest-".count).dropLast(".jsonl".count).split(separator: "-")
    guard parts.count == 3, parts[1] == "of", let index = Int(parts[0]), let count = Int(parts[2])
    else { return nil }
    return Shard(index: index, count: count)
  }
}
