import Synchronization
import Tensors

/// PyTorch's newer format: a zip archive of `<name>/data.pkl` and `<name>/data/<key>`.
final class TorchZipFile: TorchStorageFile {
  private let archive: ZipArchive
  private let source: String
  private let folder: String
  /// Storages whose checksum was right: many tensors can share one.
  private let checked = Mutex<Set<String>>([])

  init(_ bytes: ByteSource) throws(TorchArchiveError) {
    source = bytes.name
    archive = try ZipArchive(bytes)
    let pickles = archive.entries.keys.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
    guard pickles.count == 1, let pickle = pickles.first else {
      throw TorchArchiveError(
        source: bytes.name,
        problem: .zip(reason: "it has \(pickles.count) members data.pkl", member: nil))
    }
    folder = String(pickle.dropLast("data.pkl".count))
    if let order = archive.entries[folder + "byteorder"], order.range.count <= 16 {
      guard try archive.read(order).elementsEqual("little".utf8) else {
        throw TorchArchiveError(
          source: bytes.name,
          problem: .zip(reason: "its bytes are in big-endian order", member: order.name))
      }
    }
  }

  /// The pickle that describes the tensors.
  func pickle() throws(TorchArchiveError) -> [UInt8] {
    let entry = try entry(folder + "data.pkl")
    guard entry.range.count <= TorchArchive.pickleByteLimit else {
      throw TorchArchiveError(
        source: source, problem: .limit(what: "the pickle", limit: TorchArchive.pickleByteLimit))
    }
    return try archive.read(entry)
  }

  private func entry(_ name: String) throws(TorchArchiveError) -> ZipArchive.Entry {
    guard let entry = archive.entries[name] else {
      throw TorchArchiveError(
        source: source, problem: .zip(reason: "a member is missing", member: name))
    }
    return entry
  }

  func range(of storage: TorchStorage) throws(TorchArchiveError) -> Range<Int> {
    try entry("\(folder)data/\(storage.key)").range
  }

  func check(_ storage: TorchStorage) throws(TorchArchiveError) {
    guard !checked.withLock({ $0.contains(storage.key) }) else { return }
    try archive.check(try entry("\(folder)data/\(storage.key)"))
    checked.withLock { _ = $0.insert(storage.key) }
  }
}

/// PyTorch's older format: pickles of a magic number, a version, facts about the system, the object
/// and the storages' keys; then for each key a count (8 bytes) and the scalars.
struct TorchStreamFile: TorchStorageFile {
  private let ranges: [String: Range<Int>]
  private let source: String

  /// 0x1950a86a20f9469cfc6c, little-endian.
  private static let magicNumber: [UInt8] = [
    0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
  ]

  /// Reads the pickles up to the saved object, and gives that.
  static func readObject(
    with reader: inout PickleReader, source: String
  ) throws(TorchArchiveError) -> PickleValue {
    guard case .bigInteger(magicNumber) = try reader.readPickle(),
      case .integer(1001) = try reader.readPickle()
    else { throw TorchArchiveError(source: source, problem: .unknownFormat) }
    guard case .dictionary(let row) = try reader.readPickle() else {
      throw reader.failure("facts about the system are missing")
    }
    let facts = reader.containers[row]
    for index in stride(from: 0, to: facts.count, by: 2)
    where facts[index].string == "little_endian" {
      guard case .boolean(true) = facts[index + 1] else {
        throw reader.failure("its bytes are in big-endian order")
      }
    }
    return try reader.readPickle()
  }

  /// Reads the keys and finds the storages.
  init(_ bytes: ByteSource, after reader: inout PickleReader) throws(TorchArchiveError) {
    source = bytes.name
    guard case .list(let row) = try reader.readPickle() else {
      throw reader.failure("the list of storages is missing")
    }
    var ranges: [String: Range<Int>] = [:]
    var position = reader.offset
    for value in reader.containers[row] {
      guard let key = value.string, let type = reader.storages[key] else {
        throw reader.failure("a storage that nothing refers to")
      }
      guard bytes.byteCount - position >= 8 else { throw Self.tooShort(bytes, key) }
      let count = try bytes.zipBytes(position..<position + 8).reversed()
        .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      position += 8
      guard count <= UInt64((bytes.byteCount - position) / type.byteCount) else {
        throw Self.tooShort(bytes, key)
      }
      let end = position + Int(count) * type.byteCount
      guard ranges.updateValue(position..<end, forKey: key) == nil else {
        throw reader.failure("two storages have one key")
      }
      position = end
    }
    self.ranges = ranges
  }

  private static func tooShort(_ bytes: ByteSource, _ key: String) -> TorchArchiveError {
    TorchArchiveError(
      source: bytes.name,
      problem: .tensor(name: "storage \(key)", reason: "the file ends at byte \(bytes.byteCount)"))
  }

  func range(of storage: TorchStorage) throws(TorchArchiveError) -> Range<Int> {
    guard let range = ranges[storage.key] else {
      throw TorchArchiveError(
        source: source,
        problem: .tensor(name: "storage \(storage.key)", reason: "it isn't in the file"))
    }
    return range
  }

  func check(_ storage: TorchStorage) {}
}
