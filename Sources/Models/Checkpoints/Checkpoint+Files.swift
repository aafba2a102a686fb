public import FoundationEssentials
import Tensors

extension Checkpoint {
  /// Opens a file of weights: safetensors, the index of sharded safetensors
  /// (`….safetensors.index.json`), or a file of `torch.save` (`.pt`, `.pth`, `.bin`, `.ckpt`).
  ///
  /// What a file is, its first bytes say; the name only tells an index.
  ///
  /// - Throws: ``CheckpointError`` where a file can't be read or breaks a rule of its format.
  public init(contentsOf url: URL) throws(CheckpointError) {
    if url.lastPathComponent.hasSuffix(".index.json") {
      try self.init(index: url)
      return
    }
    let bytes: ByteSource
    let start: [UInt8]
    do {
      bytes = try ByteSource(contentsOf: url)
      start = try bytes.bytes(in: 0..<min(9, bytes.byteCount))
    } catch {
      throw .unreadable(path: error.name, reason: error.reason)
    }
    // A safetensors header begins behind its length; no file of torch.save has a { there.
    let isSafetensors = start.count == 9 && start.last == UInt8(ascii: "{")
    let isTorch =
      start.starts(with: [0x50, 0x4B]) || start.first == 0x80
      || Self.torchExtensions.contains(url.pathExtension)
    if isTorch && !isSafetensors {
      do {
        self.init(try TorchArchive(bytes))
      } catch {
        throw .torch(error)
      }
    } else {
      do {
        self.init(try Safetensors(bytes: bytes))
      } catch {
        throw .safetensors(error)
      }
    }
  }

  private static let torchExtensions: Set = ["pt", "pth", "bin", "ckpt"]

  /// The tensors of all shards that the index names.
  private init(index url: URL) throws(CheckpointError) {
    let fields = try ConfigurationFields(contentsOf: url)
    guard case .object(let places)? = fields.values["weight_map"] else {
      throw .field(
        path: url.path, name: "weight_map", expected: "an object",
        found: fields.values["weight_map"]?.kind ?? "absent")
    }
    var namesByFile: [String: Set<String>] = [:]
    for place in places.members {
      let name = place.key
      guard case .string(let file) = place.value, !file.isEmpty, file != ".", file != "..",
        !file.contains("/"), !file.contains("\0")
      else {
        throw .index(path: url.path, reason: "the file of \"\(name)\" isn't a plain name")
      }
      namesByFile[file, default: []].insert(name)
    }
    var shards: [Checkpoint] = []
    for (file, names) in namesByFile.sorted(by: { $0.key < $1.key }) {
      let shard = try Checkpoint(
        contentsOf: url.deletingLastPathComponent().appending(path: file))
      if let missing = names.subtracting(shard.names).min() {
        throw .index(path: url.path, reason: "\"\(missing)\" isn't in \(file)")
      }
      shards.append(try shard.renamed { names.contains($0) ? $0 : nil })
    }
    try self.init(merging: shards, source: url.path)
  }
}
