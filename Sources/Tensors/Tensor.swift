/// A block of float32 numbers with a shape; pictures and feature maps are `[N, H, W, C]`.
///
/// A tensor is a value: nothing changes it once it is made, so it can be shared between threads
/// and a copy costs nothing.
public struct Tensor: Sendable {
  /// The extent along each axis, outermost first.
  public let shape: Shape
  var storage: Storage

  init(shape: Shape, storage: Storage) {
    self.shape = shape
    self.storage = storage
  }

  /// The same scalars under another shape.
  ///
  /// - Precondition: both shapes have the same scalar count.
  public consuming func reshaped(to shape: Shape) -> Tensor {
    precondition(
      shape.scalarCount == self.shape.scalarCount, "\(self.shape) cannot become \(shape)")
    return Tensor(shape: shape, storage: storage)
  }
}
