public import FoundationEssentials

/// A safetensors file: tensors by name, read when asked for.
///
/// The format is that of the safetensors project: the header's length (8 bytes, little-endian), a
/// header in JSON, and the scalars of all tensors without holes. The header is checked in full
/// when the file is opened; scalars are not (a NaN is legal).
public struct Safetensors: Sendable {
  /// What the header says of a tensor.
  public struct Entry: Hashable, Sendable {
    /// The tensor's name.
    public let name: String
    /// How its scalars are stored.
    public let scalarType: ScalarType
    /// Its extents, as stored: weights of convolutions are `[outputs, inputs, height, width]`.
    public let shape: Shape
    /// Where its bytes start in the file.
    let offset: Int

    /// The size of its scalars as stored.
    public var byteCount: Int { shape.scalarCount * scalarType.byteCount }
  }

  /// How large a header may be before it is refused.
  public struct Limits: Hashable, Sendable {
    /// The largest header in bytes.
    public var headerByteCount: Int

    /// Limits; the defaults are those of the safetensors project.
    public init(headerByteCount: Int = 100_000_000) {
      self.headerByteCount = headerByteCount
    }
  }

  /// The tensors in the order in which they lie in the file.
  public let entries: [Entry]
  /// The file's own notes, such as `format`.
  public let metadata: [String: String]
  private let indices: [String: Int]
  private let bytes: ByteSource

  /// Opens a file and checks its header.
  ///
  /// - Throws: ``SafetensorsError`` where the file can't be read, or isn't as the format asks.
  public init(
    contentsOf url: URL, limits: Limits = Limits()
  ) throws(SafetensorsError) {
    let bytes: ByteSource
    do {
      bytes = try ByteSource(contentsOf: url)
    } catch {
      throw SafetensorsError(source: error.name, problem: .unreadable(error.reason))
    }
    try self.init(bytes: bytes, limits: limits)
  }

  /// Reads a file that is in memory.
  ///
  /// - Throws: ``SafetensorsError`` where the bytes aren't as the format asks.
  public init(
    decoding bytes: [UInt8], limits: Limits = Limits()
  ) throws(SafetensorsError) {
    try self.init(bytes: ByteSource(bytes), limits: limits)
  }

  /// Reads the header of `bytes`.
  ///
  /// - Throws: ``SafetensorsError`` where the bytes aren't as the format asks.
  package init(bytes: ByteSource, limits: Limits = Limits()) throws(SafetensorsError) {
    let header = try SafetensorsHeader(bytes: bytes, limits: limits)
    self.bytes = bytes
    entries = header.entries
    metadata = header.metadata
    indices = Dictionary(
      uniqueKeysWithValues: header.entries.enumerated().map { ($1.name, $0) })
  }

  /// The tensors' names in the order in which they lie in the file.
  public var names: [String] { entries.map(\.name) }

  /// The file's path, or "bytes in memory".
  public var source: String { bytes.name }

  /// What the header says of a tensor; nothing where there is none of this name.
  public func entry(named name: String) -> Entry? {
    indices[name].map { entries[$0] }
  }

  /// The tensor of this name as float32, in the shape that is stored.
  ///
  /// - Throws: ``SafetensorsError`` where there is none, or the file can't be read any more.
  public func tensor(named name: String) throws(SafetensorsError) -> Tensor {
    let entry = try existingEntry(named: name)
    do {
      return try bytes.tensor(of: entry.scalarType, shape: entry.shape, at: entry.offset)
    } catch {
      throw SafetensorsError(source: source, problem: .unreadable(error.reason))
    }
  }

  /// The scalars of the tensor of this name as they are stored, little-endian.
  ///
  /// - Throws: ``SafetensorsError`` where there is none, or the file can't be read any more.
  public func rawBytes(named name: String) throws(SafetensorsError) -> [UInt8] {
    let entry = try existingEntry(named: name)
    do {
      return try bytes.bytes(in: entry.offset..<entry.offset + entry.byteCount)
    } catch {
      throw SafetensorsError(source: source, problem: .unreadable(error.reason))
    }
  }

  /// The scalars of the tensor of this name, which has a type of integers or booleans.
  ///
  /// - Throws: ``SafetensorsError`` where there is none, it holds floating-point numbers, or a
  ///   value doesn't fit in `Int`.
  public func integers(named name: String) throws(SafetensorsError) -> [Int] {
    let entry = try existingEntry(named: name)
    guard entry.scalarType.isInteger,
      let integers = entry.scalarType.integers(try rawBytes(named: name))
    else {
      throw SafetensorsError(
        source: source, problem: .notIntegers(tensor: name, type: entry.scalarType))
    }
    return integers
  }

  private func existingEntry(named name: String) throws(SafetensorsError) -> Entry {
    guard let entry = entry(named: name) else {
      throw SafetensorsError(source: source, problem: .missing(tensor: name))
    }
    return entry
  }
}
