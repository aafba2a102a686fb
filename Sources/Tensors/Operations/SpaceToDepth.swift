extension Tensor {
  /// Each square of f×f pixels as the channels of one: `[N, H, W, C]` → `[N, H/f, W/f, f²·C]`.
  ///
  /// Channel (f·y + x)·C + c is channel c of the square's pixel in row y and column x, as in
  /// TensorFlow's `space_to_depth`; PyTorch's `pixel_unshuffle` has them in the order c, y, x.
  ///
  /// - Precondition: height and width are multiples of f.
  public func spaceToDepth(_ factor: Int) -> Tensor {
    precondition(
      shape.rank == 4 && factor >= 1 && shape[1] % factor == 0 && shape[2] % factor == 0,
      "\(shape) in squares of \(factor)")
    guard factor > 1 else { return self }
    let result = gatheringSquares(of: factor)
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.spreadingSquares(of: factor) }
  }

  /// The inverse of ``spaceToDepth(_:)``: `[N, h, w, f²·C]` → `[N, f·h, f·w, C]`.
  ///
  /// - Precondition: the channels are a multiple of f².
  public func depthToSpace(_ factor: Int) -> Tensor {
    precondition(
      shape.rank == 4 && factor >= 1 && shape[3] % (factor * factor) == 0,
      "\(shape) as squares of \(factor)")
    guard factor > 1 else { return self }
    let result = spreadingSquares(of: factor)
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.gatheringSquares(of: factor) }
  }
}
