package import FoundationEssentials
package import Tensors

/// A file of `torch.save`: tensors by name, read when asked for.
///
/// Nothing in it is executed.
/// Both formats are read: the zip archive of a pickle and raw storages (PyTorch 1.6 and later),
/// and the older stream of pickles followed by the storages. Where the saved object has a
/// `state_dict`, its tensors are meant; else all tensors in dictionaries within dictionaries, their
/// names joined by dots.
package struct TorchArchive: Sendable {
  /// The tensors by name.
  package let tensors: [String: TorchTensor]
  private let storages: any TorchStorageFile
  private let bytes: ByteSource

  /// The largest pickle that is read.
  static let pickleByteLimit = 32 << 20

  /// Opens a file and checks everything but the scalars.
  ///
  /// - Throws: ``TorchArchiveError``.
  package init(contentsOf url: URL) throws(TorchArchiveError) {
    let bytes: ByteSource
    do {
      bytes = try ByteSource(contentsOf: url)
    } catch {
      throw TorchArchiveError(source: error.name, problem: .unreadable(error.reason))
    }
    try self.init(bytes)
  }

  /// Reads a file, or what is like one.
  ///
  /// - Throws: ``TorchArchiveError``.
  package init(_ bytes: ByteSource) throws(TorchArchiveError) {
    self.bytes = bytes
    let start = try bytes.zipBytes(0..<min(4, bytes.byteCount))
    var reader: PickleReader
    let root: PickleValue
    if start.starts(with: [0x50, 0x4B]) {
      let file = try TorchZipFile(bytes)
      reader = PickleReader(try file.pickle(), source: bytes.name)
      root = try reader.readPickle()
      storages = file
    } else if start.first == 0x80 {
      let length = min(Self.pickleByteLimit, bytes.byteCount)
      reader = PickleReader(try bytes.zipBytes(0..<length), source: bytes.name)
      root = try TorchStreamFile.readObject(with: &reader, source: bytes.name)
      storages = try TorchStreamFile(bytes, after: &reader)
    } else {
      throw TorchArchiveError(source: bytes.name, problem: .unknownFormat)
    }
    var collector = StateDictionary(containers: reader.containers, source: bytes.name)
    try collector.collect(root)
    tensors = collector.tensors
    guard !tensors.isEmpty else { throw TorchArchiveError(source: bytes.name, problem: .empty) }
    for (name, tensor) in tensors {
      let available = try place(of: tensor.storage).scalarCount
      if let defect = tensor.defect(available: available) {
        throw TorchArchiveError(source: source, problem: .tensor(name: name, reason: defect))
      }
    }
  }

  /// The file's path, or "bytes in memory".
  package var source: String { bytes.name }

  private func place(
    of storage: TorchStorage
  ) throws(TorchArchiveError) -> (offset: Int, scalarCount: Int) {
    let range = try storages.range(of: storage)
    let present = range.count / storage.scalarType.byteCount
    guard storage.scalarCount <= present else {
      throw TorchArchiveError(
        source: source,
        problem: .tensor(
          name: "storage \(storage.key)",
          reason: "\(storage.scalarCount) scalars were announced and \(present) are there"))
    }
    return (range.lowerBound, present)
  }

  /// The tensor of this name as float32, in the shape that is stored.
  ///
  /// - Throws: ``TorchArchiveError`` where there is none, its storage's checksum differs, or the
  ///   file can't be read any more.
  package func tensor(named name: String) throws(TorchArchiveError) -> Tensor {
    guard let tensor = tensors[name] else {
      throw TorchArchiveError(source: source, problem: .missing(tensor: name))
    }
    try storages.check(tensor.storage)
    let shape = Shape(tensor.shape)
    guard shape.scalarCount > 0 else { return Tensor([], shape: shape) }
    let start = try place(of: tensor.storage).offset
    let type = tensor.storage.scalarType
    let offset = start + tensor.offset * type.byteCount
    do {
      if tensor.isContiguous { return try bytes.tensor(of: type, shape: shape, at: offset) }
      let last = zip(tensor.shape, tensor.strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
      let scalars = try bytes.tensor(of: type, shape: [last + 1], at: offset)
      return Tensor(
        Self.gathered(scalars.span, shape: tensor.shape, strides: tensor.strides), shape: shape)
    } catch {
      throw TorchArchiveError(source: source, problem: .unreadable(error.reason))
    }
  }

  /// The scalars of a view in row-major order.
  private static func gathered(
    _ scalars: Span<Float>, shape: [Int], strides: [Int]
  ) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(shape.reduce(1, *))
    var index = [Int](repeating: 0, count: shape.count)
    var position = 0
    while true {
      result.append(scalars[position])
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        position += strides[axis]
        if index[axis] < shape[axis] { break }
        position -= index[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return result }
    }
  }
}

/// Where a file keeps the storages of its tensors.
package protocol TorchStorageFile: Sendable {
  /// The bytes of a storage in the file.
  func range(of storage: TorchStorage) throws(TorchArchiveError) -> Range<Int>

  /// Checks the storage's bytes where the format has a checksum.
  func check(_ storage: TorchStorage) throws(TorchArchiveError)
}

/// The tensors of a saved object.
private struct StateDictionary {
  let containers: [[PickleValue]]
  let source: String
  var tensors: [String: TorchTensor] = [:]
  private var visitedCount = 0

  init(containers: [[PickleValue]], source: String) {
    self.containers = containers
    self.source = source
  }

  mutating func collect(_ root: PickleValue) throws(TorchArchiveError) {
    var root = root
    if case .dictionary(let row) = root {
      for index in stride(from: 0, to: containers[row].count, by: 2)
      where containers[row][index].string == "state_dict" {
        if case .dictionary = containers[row][index + 1] { root = containers[row][index + 1] }
      }
    }
    try collect(root, path: "", depth: 0)
  }

  private mutating func collect(
    _ value: PickleValue, path: String, depth: Int
  ) throws(TorchArchiveError) {
    visitedCount += 1
    guard visitedCount <= 1_000_000 else {
      throw TorchArchiveError(
        source: source, problem: .limit(what: "the count of names", limit: 1_000_000))
    }
    switch value {
    case .tensor(let tensor): tensors[path] = tensor
    case .dictionary(let row) where depth < 8:
      for index in stride(from: 0, to: containers[row].count, by: 2) {
        let name: String
        switch containers[row][index] {
        case .string(let string): name = string
        case .integer(let integer): name = String(integer)
        default: continue
        }
        try collect(
          containers[row][index + 1], path: path.isEmpty ? name : "\(path).\(name)",
          depth: depth + 1)
      }
    default: return
    }
  }
}
