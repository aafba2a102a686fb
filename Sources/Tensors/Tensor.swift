/// A block of float32 numbers with a shape; pictures and feature maps are `[N, H, W, C]`.
///
/// A tensor is a value: nothing changes it once it is made, so it can be shared between threads
/// and a copy costs nothing.
public struct Tensor: Sendable {
  /// The extent along each axis, outermost first.
  public let shape: Shape
  var storage: Storage
  /// How it was computed, if gradients are wanted of it.
  let node: GradientNode?

  init(shape: Shape, storage: Storage, node: GradientNode? = nil) {
    self.shape = shape
    self.storage = storage
    self.node = node
  }

  /// The same scalars under another shape.
  ///
  /// - Precondition: both shapes have the same scalar count.
  public consuming func reshaped(to shape: Shape) -> Tensor {
    precondition(
      shape.scalarCount == self.shape.scalarCount, "\(self.shape) cannot become \(shape)")
    let result = Tensor(shape: shape, storage: storage)
    guard GradientRecording.isOn(node) else { return result }
    let old = self.shape
    return result.recorded(node) { $0.reshaped(to: old) }
  }
}
