/// What is done to a plane before it is compressed, so that the compressor finds more to save.
///
/// A predicting filter keeps what each value differs from a guess made of its neighbours.
public enum PlaneFilter: UInt8, Sendable, CaseIterable {
  /// The values themselves.
  case none = 0
  /// The guess is the left neighbour.
  case delta = 1
  /// The guess is the mean of the left and the upper neighbour, rounded down.
  case average = 2
  /// The guess is PNG's: of the left, the upper and the upper left neighbour, the one nearest to
  /// left + upper − upper left.
  case paeth = 3
  /// All first bytes of the values, then all second bytes, and so on; for floating-point numbers.
  case shuffle = 4
}

extension PlaneFilter {
  /// What the values of a plane, all at most `mask`, differ from the guesses.
  ///
  /// - Precondition: this is not ``shuffle``, and `values` are whole rows of `width`.
  func differences<Value: FixedWidthInteger & UnsignedInteger>(
    of values: [Value], width: Int, mask: Value
  ) -> [Value] {
    guard self != .none else { return values }
    var differences = values
    for index in values.indices {
      differences[index] = (values[index] &- guess(values, index, width: width)) & mask
    }
    return differences
  }

  /// Undoes ``differences(of:width:mask:)``.
  func values<Value: FixedWidthInteger & UnsignedInteger>(
    of differences: [Value], width: Int, mask: Value
  ) -> [Value] {
    guard self != .none else { return differences }
    var values = differences
    for index in values.indices {
      values[index] = (values[index] &+ guess(values, index, width: width)) & mask
    }
    return values
  }

  /// The guess of a value from those before it; what lies outside the plane is 0.
  @inline(__always)
  private func guess<Value: FixedWidthInteger & UnsignedInteger>(
    _ values: [Value], _ index: Int, width: Int
  ) -> Value {
    let isFirstColumn = index % width == 0
    let left = isFirstColumn ? 0 : Int(values[index - 1])
    let up = index < width ? 0 : Int(values[index - width])
    switch self {
    case .none, .shuffle: return 0
    case .delta: return Value(truncatingIfNeeded: left)
    case .average: return Value(truncatingIfNeeded: (left + up) >> 1)
    case .paeth:
      let corner = isFirstColumn || index < width ? 0 : Int(values[index - width - 1])
      let estimate = left + up - corner
      let (toLeft, toUp, toCorner) = (
        abs(estimate - left), abs(estimate - up), abs(estimate - corner)
      )
      let nearest = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner
      return Value(truncatingIfNeeded: nearest)
    }
  }
}

/// Bytes of values in the order of ``PlaneFilter/shuffle``.
enum ByteShuffle {
  /// First all first bytes of the values of `size` bytes, then all second bytes, and so on.
  static func shuffled(_ bytes: [UInt8], size: Int) -> [UInt8] {
    var shuffled = bytes
    let count = bytes.count / size
    for byte in 0..<size {
      for index in 0..<count { shuffled[byte * count + index] = bytes[index * size + byte] }
    }
    return shuffled
  }

  /// Undoes ``shuffled(_:size:)``.
  static func unshuffled(_ bytes: [UInt8], size: Int) -> [UInt8] {
    var values = bytes
    let count = bytes.count / size
    for byte in 0..<size {
      for index in 0..<count { values[index * size + byte] = bytes[byte * count + index] }
    }
    return values
  }
}
