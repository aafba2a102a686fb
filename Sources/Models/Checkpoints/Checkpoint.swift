public import Tensors

/// Tensors by name, whatever the files they lie in; each is read when asked for.
public struct Checkpoint: Sendable {
  /// What is known of a tensor without reading it.
  public struct Entry: Hashable, Sendable {
    /// The tensor's name.
    public let name: String
    /// Its extents: weights of convolutions are `[outputs, inputs, height, width]`.
    public let shape: Shape
    /// How its scalars are stored.
    public let scalarType: ScalarType

    package init(name: String, shape: Shape, scalarType: ScalarType) {
      self.name = name
      self.shape = shape
      self.scalarType = scalarType
    }
  }

  private struct Slot: Sendable {
    var entry: Entry
    let storedName: String
    let file: any TensorFile
  }

  /// What messages call the checkpoint: the path of its file or folder.
  public let source: String
  private var slots: [String: Slot] = [:]

  /// The tensors of a file.
  package init(_ file: some TensorFile) {
    source = file.source
    for entry in file.tensorEntries {
      slots[entry.name] = Slot(entry: entry, storedName: entry.name, file: file)
    }
  }

  /// The tensors of several checkpoints together.
  ///
  /// - Throws: ``CheckpointError/duplicateName(_:source:)`` where two have one name.
  package init(merging checkpoints: [Checkpoint], source: String) throws(CheckpointError) {
    self.source = source
    for checkpoint in checkpoints {
      for (name, slot) in checkpoint.slots {
        guard slots.updateValue(slot, forKey: name) == nil else {
          throw .duplicateName(name, source: source)
        }
      }
    }
  }

  /// The names, sorted.
  public var names: [String] { slots.keys.sorted() }

  /// What is known of all tensors, sorted by name.
  public var entries: [Entry] { names.compactMap { slots[$0]?.entry } }

  /// The shapes by name.
  public var shapes: [String: Shape] { slots.mapValues(\.entry.shape) }

  /// What is known of a tensor; nothing where there is none of this name.
  public func entry(named name: String) -> Entry? {
    slots[name]?.entry
  }

  /// The tensor of this name as float32, in the shape that ``entry(named:)`` says.
  ///
  /// - Throws: ``CheckpointError`` where there is none, or its file can't be read.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    guard let slot = slots[name] else { throw .missingTensor(name: name, source: source) }
    let tensor = try slot.file.readTensor(named: slot.storedName)
    return tensor.shape == slot.entry.shape ? tensor : tensor.reshaped(to: slot.entry.shape)
  }

  /// The same tensors under other names; those for which `newName` gives nothing are left out.
  ///
  /// - Throws: ``CheckpointError/duplicateName(_:source:)`` where two would have one name.
  package func renamed(
    _ newName: (String) -> String?
  ) throws(CheckpointError) -> Checkpoint {
    var result = self
    result.slots = [:]
    for (name, slot) in slots {
      guard let name = newName(name) else { continue }
      var slot = slot
      slot.entry = Entry(
        name: name, shape: slot.entry.shape, scalarType: slot.entry.scalarType)
      guard result.slots.updateValue(slot, forKey: name) == nil else {
        throw .duplicateName(name, source: source)
      }
    }
    return result
  }

  /// The same tensors, those for which `newShape` gives something with another shape.
  ///
  /// - Precondition: new shapes have the scalar counts of the old.
  package func reshaped(_ newShape: (Entry) -> Shape?) -> Checkpoint {
    var result = self
    for (name, slot) in slots {
      guard let shape = newShape(slot.entry) else { continue }
      precondition(shape.scalarCount == slot.entry.shape.scalarCount)
      result.slots[name]?.entry = Entry(
        name: name, shape: shape, scalarType: slot.entry.scalarType)
    }
    return result
  }
}

/// A file that tensors are read from.
package protocol TensorFile: Sendable {
  /// The file's path.
  var source: String { get }
  /// What is known of its tensors.
  var tensorEntries: [Checkpoint.Entry] { get }
  /// A tensor as float32.
  func readTensor(named name: String) throws(CheckpointError) -> Tensor
}

extension Safetensors: TensorFile {
  package var tensorEntries: [Checkpoint.Entry] {
    entries.map { Checkpoint.Entry(name: $0.name, shape: $0.shape, scalarType: $0.scalarType) }
  }

  package func readTensor(named name: String) throws(CheckpointError) -> Tensor {
    do {
      return try tensor(named: name)
    } catch {
      throw .safetensors(error)
    }
  }
}

extension TorchArchive: TensorFile {
  package var tensorEntries: [Checkpoint.Entry] {
    tensors.map {
      Checkpoint.Entry(name: $0, shape: Shape($1.shape), scalarType: $1.storage.scalarType)
    }
  }

  package func readTensor(named name: String) throws(CheckpointError) -> Tensor {
    do {
      return try tensor(named: name)
    } catch {
      throw .torch(error)
    }
  }
}
