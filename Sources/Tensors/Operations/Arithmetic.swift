extension Tensor {
  /// scale · x + offset, with another scale and offset for each channel (the last axis).
  public func affineChannels(_ coefficients: (Int) -> (scale: Float, offset: Float)) -> Tensor {
    let channels = shape[-1]
    let pairs = (0..<channels).map(coefficients)
    return affineChannels(
      scale: Tensor(pairs.map(\.scale), shape: [channels]),
      offset: Tensor(pairs.map(\.offset), shape: [channels]))
  }
}
