package import Tensors

/// What ``PickleReader`` makes of a pickle: plain data, and descriptions of tensors.
///
/// Containers are numbers of rows in the reader's table, so that values that hold each other don't
/// keep each other alive, and freeing a deep structure doesn't recurse.
package enum PickleValue: Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  /// An integer beyond 64 bits: its bytes, little-endian, two's complement.
  case bigInteger([UInt8])
  case number(Double)
  case string(String)
  case bytes([UInt8])
  case tuple(Int)
  case list(Int)
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(TorchStorage)
  case tensor(TorchTensor)

  var integer: Int? {
    if case .integer(let integer) = self { integer } else { nil }
  }

  var string: String? {
    if case .string(let string) = self { string } else { nil }
  }
}

/// The names that a pickle may use.
///
/// None is looked up or called: each has a meaning here.
package enum PickleGlobal: Hashable, Sendable {
  case orderedDictionary, dictionary, list, tuple, set
  case size
  case rebuildTensor, rebuildParameter
  case storage(ScalarType)

  /// The meaning of `module.name`; nothing for all that weights don't need.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("builtins", "dict"), ("__builtin__", "dict"): self = .dictionary
    case ("builtins", "list"), ("__builtin__", "list"): self = .list
    case ("builtins", "tuple"), ("__builtin__", "tuple"): self = .tuple
    case ("builtins", "set"), ("__builtin__", "set"): self = .set
    case ("torch", "Size"): self = .size
    case ("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2"):
      self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch", _):
      guard let type = Self.storages[name] else { return nil }
      self = .storage(type)
    default: return nil
    }
  }

  private static let storages: [String: ScalarType] = [
    "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "DoubleStorage": .float64, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .boolean,
  ]
}

/// A block of scalars that tensors are views of.
package struct TorchStorage: Hashable, Sendable {
  /// What the file calls it.
  package let key: String
  /// How its scalars are stored.
  package let scalarType: ScalarType
  /// How many scalars it should have.
  package let scalarCount: Int
  /// Where a view of the storage begins, in scalars (older files only).
  package let viewOffset: Int
}

/// A view of a storage.
package struct TorchTensor: Hashable, Sendable {
  /// The storage.
  package let storage: TorchStorage
  /// The first scalar's index in the storage.
  package let offset: Int
  /// The extents.
  package let shape: [Int]
  /// How many scalars apart neighbours along each axis are.
  package let strides: [Int]

  /// Whether scalars lie one after the other in row-major order.
  package var isContiguous: Bool {
    var expected = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      if stride != expected { return false }
      expected *= extent
    }
    return true
  }

  /// What keeps the tensor from being read from `available` scalars; nothing where all is well.
  package func defect(available: Int) -> String? {
    guard shape.count == strides.count else {
      return "\(shape.count) extents and \(strides.count) strides"
    }
    guard shape.count <= 16 else { return "\(shape.count) axes" }
    guard offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
      return "a negative offset, extent or stride"
    }
    guard let count = shape.product else { return "a shape out of range, \(shape)" }
    if count == 0 { return nil }
    // A stride of 0 repeats scalars, so that a small storage can make a tensor of any size.
    let limit = max(available, 1 << 24)
    guard count <= limit else { return "\(count) scalars from a storage of \(available)" }
    var last = offset
    for (extent, stride) in zip(shape, strides) {
      let (step, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (next, overflowToo) = last.addingReportingOverflow(step)
      if overflow || overflowToo { return "strides out of range, \(strides)" }
      last = next
    }
    guard last < available else {
      return "its last scalar is \(last) of a storage of \(available)"
    }
    return nil
  }
}
