extension Tensor {
  /// The sum of all numbers, a scalar.
  public func sum() -> Tensor {
    let result = Tensor([Float(doubleSum())], shape: [])
    guard GradientRecording.isOn(node) else { return result }
    let shape = shape
    return result.recorded(node) { Tensor(repeating: $0.span[0], shape: shape) }
  }

  /// The sum of the squares of all numbers, in double precision; not recorded.
  public var sumOfSquares: Double { doubleSum(times: self) }

  /// The mean of all numbers, a scalar.
  public func mean() -> Tensor { sum() / Float(max(shape.scalarCount, 1)) }

  /// The sums over consecutive axes, which remain with an extent of 1.
  ///
  /// `[N, H, W, C]`: over axes `1..<3` the sums over the pixels of each channel, `[N, 1, 1, C]`; over
  /// `1..<4` those of each image, `[N, 1, 1, 1]`; over `3..<4` those of each pixel, `[N, H, W, 1]`.
  public func sum(over axes: Range<Int>) -> Tensor {
    let (outer, count, inner) = shape.divided(at: axes)
    var dimensions = shape.dimensions
    for axis in axes { dimensions[axis] = 1 }
    let reduced =
      inner == 1
      ? stretchSums(of: count)
      : reshaped(to: [outer * count, inner]).detached().channelSums(images: outer)
    let result = reduced.reshaped(to: Shape(dimensions))
    guard GradientRecording.isOn(node) else { return result }
    let shape = shape
    return result.recorded(node) {
      $0.repeatingRows(outer: outer, count: count, inner: inner, to: shape)
    }
  }

  /// The means over consecutive axes, which remain with an extent of 1; see ``sum(over:)``.
  public func mean(over axes: Range<Int>) -> Tensor {
    sum(over: axes) / Float(max(shape.divided(at: axes).count, 1))
  }

  /// The numbers repeated along consecutive axes of extent 1: the inverse of ``sum(over:)`` in shape.
  ///
  /// - Precondition: the shape differs from self's in one stretch of axes, where self's are 1.
  public func expanded(to shape: Shape) -> Tensor {
    let changed = self.shape.dimensions.indices.filter {
      shape.rank == self.shape.rank && shape[$0] != self.shape[$0]
    }
    let axes = changed.first.map { $0..<(changed[changed.count - 1] + 1) } ?? 0..<0
    precondition(
      shape.rank == self.shape.rank && axes.allSatisfy { self.shape[$0] == 1 },
      "\(self.shape) can't be expanded to \(shape)")
    if axes.isEmpty { return self }
    let (outer, count, inner) = shape.divided(at: axes)
    let result = repeatingRows(outer: outer, count: count, inner: inner, to: shape)
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.sum(over: axes) }
  }
}

extension Shape {
  /// The numbers of scalars before, along and behind some axes.
  fileprivate func divided(at axes: Range<Int>) -> (outer: Int, count: Int, inner: Int) {
    precondition(axes.upperBound <= rank, "axes \(axes) of \(self)")
    return (
      dimensions[..<axes.lowerBound].reduce(1, *), dimensions[axes].reduce(1, *),
      dimensions[axes.upperBound...].reduce(1, *)
    )
  }
}
