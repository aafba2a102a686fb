import Tensors

// What the names in a file of weights mean.
extension PickleReader {
  /// What calling `function` with `arguments` would give.
  mutating func meaning(
    of function: PickleValue, with arguments: [PickleValue]
  ) throws(TorchArchiveError) -> PickleValue {
    guard case .global(let global) = function else { throw failure("a call of a value") }
    switch global {
    case .orderedDictionary, .dictionary:
      return .dictionary(try container(try pairs(arguments)))
    case .list, .set:
      return .list(try container(try elements(arguments)))
    case .tuple, .size:
      return .tuple(try container(try elements(arguments)))
    case .rebuildTensor:
      return .tensor(try tensor(arguments))
    case .rebuildParameter:
      guard case .tensor? = arguments.first else { throw failure("a parameter of no tensor") }
      return arguments[0]
    case .storage: throw failure("a storage that is made instead of referred to")
    }
  }

  /// The elements of a container that is the only argument; none where there is no argument.
  private func elements(_ arguments: [PickleValue]) throws(TorchArchiveError) -> [PickleValue] {
    switch arguments.first {
    case nil: return []
    case .tuple(let row), .list(let row):
      guard arguments.count == 1 else { throw failure("a container of several arguments") }
      return containers[row]
    default: throw failure("a container of something else")
    }
  }

  /// Names and values in turn, of a list of pairs.
  private func pairs(_ arguments: [PickleValue]) throws(TorchArchiveError) -> [PickleValue] {
    var pairs: [PickleValue] = []
    for element in try elements(arguments) {
      switch element {
      case .tuple(let row), .list(let row):
        guard containers[row].count == 2 else { throw failure("a pair of another length") }
        pairs += containers[row]
      default: throw failure("a dictionary of something else than pairs")
      }
    }
    return pairs
  }

  /// A tensor: (storage, offset, shape, strides, …); what follows concerns training.
  private func tensor(_ arguments: [PickleValue]) throws(TorchArchiveError) -> TorchTensor {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0],
      let offset = arguments[1].integer
    else { throw failure("a tensor with other arguments") }
    let (sum, overflow) = offset.addingReportingOverflow(storage.viewOffset)
    guard !overflow else { throw failure("a tensor's offset is out of range") }
    return TorchTensor(
      storage: storage, offset: sum, shape: try integers(arguments[2]),
      strides: try integers(arguments[3]))
  }

  private func integers(_ value: PickleValue) throws(TorchArchiveError) -> [Int] {
    guard case .tuple(let row) = value else { throw failure("a shape that isn't a tuple") }
    let integers = containers[row].compactMap(\.integer)
    guard integers.count == containers[row].count else {
      throw failure("a shape that isn't of integers")
    }
    return integers
  }

  /// A storage: ("storage", type, key, device, scalar count[, view]).
  ///
  /// A view is None or (key, offset, scalar count) of a part of the storage.
  mutating func storage(_ reference: PickleValue) throws(TorchArchiveError) -> TorchStorage {
    guard case .tuple(let row) = reference else { throw failure("a reference to something else") }
    let fields = containers[row]
    guard fields.count == 5 || fields.count == 6, fields[0].string == "storage",
      case .global(.storage(let type)) = fields[1], let key = fields[2].string,
      let count = fields[4].integer, count >= 0
    else { throw failure("a reference to something else than a storage") }
    var viewOffset = 0
    if fields.count == 6, case .tuple(let view) = fields[5] {
      guard containers[view].count == 3, let offset = containers[view][1].integer, offset >= 0
      else { throw failure("a view of a storage with other fields") }
      viewOffset = offset
    }
    guard storages.updateValue(type, forKey: key) ?? type == type else {
      throw failure("a storage of two types")
    }
    return TorchStorage(key: key, scalarType: type, scalarCount: count, viewOffset: viewOffset)
  }
}
