extension Tensor {
  /// The sum, number by number.
  public static func + (left: Tensor, right: Tensor) -> Tensor {
    let result = left.combined(.add, right)
    guard GradientRecording.isOn(left.node, right.node) else { return result }
    return result.recorded([left.node, right.node]) { gradient, _ in [gradient, gradient] }
  }

  /// The difference, number by number.
  public static func - (left: Tensor, right: Tensor) -> Tensor {
    let result = left.combined(.subtract, right)
    guard GradientRecording.isOn(left.node, right.node) else { return result }
    return result.recorded([left.node, right.node]) { gradient, isNeeded in
      [gradient, isNeeded[1] ? -gradient : nil]
    }
  }

  /// The product, number by number.
  public static func * (left: Tensor, right: Tensor) -> Tensor {
    let result = left.combined(.multiply, right)
    guard GradientRecording.isOn(left.node, right.node) else { return result }
    let (a, b) = (left.detached(), right.detached())
    return result.recorded([left.node, right.node]) { gradient, isNeeded in
      [
        isNeeded[0] ? gradient.combined(.multiply, b) : nil,
        isNeeded[1] ? gradient.combined(.multiply, a) : nil,
      ]
    }
  }

  /// The quotient, number by number.
  public static func / (left: Tensor, right: Tensor) -> Tensor {
    let result = left.combined(.divide, right)
    guard GradientRecording.isOn(left.node, right.node) else { return result }
    let (quotient, divisor) = (result.detached(), right.detached())
    return result.recorded([left.node, right.node]) { gradient, isNeeded in
      let first = gradient.combined(.divide, divisor)
      return [first, isNeeded[1] ? -first.combined(.multiply, quotient) : nil]
    }
  }

  /// The numbers with the opposite sign.
  public static prefix func - (x: Tensor) -> Tensor { x.affine(scale: -1, offset: 0) }

  /// The numbers, each plus the same one.
  public static func + (x: Tensor, offset: Float) -> Tensor { x.affine(scale: 1, offset: offset) }

  /// The numbers, each minus the same one.
  public static func - (x: Tensor, offset: Float) -> Tensor { x.affine(scale: 1, offset: -offset) }

  /// The numbers, each times the same one.
  public static func * (x: Tensor, scale: Float) -> Tensor { x.affine(scale: scale, offset: 0) }

  /// The numbers, each divided by the same one.
  public static func / (x: Tensor, divisor: Float) -> Tensor {
    x.affine(scale: 1 / divisor, offset: 0)
  }

  /// The numbers scale · x + offset.
  public func affine(scale: Float, offset: Float) -> Tensor {
    let result = mapped(.affine(scale: scale, offset: offset))
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.mapped(.affine(scale: scale, offset: 0)) }
  }

  /// scale · x + offset, with another scale and offset for each channel (the last axis).
  public func affineChannels(_ coefficients: (Int) -> (scale: Float, offset: Float)) -> Tensor {
    let channels = shape[-1]
    let pairs = (0..<channels).map(coefficients)
    return affineChannels(
      scale: Tensor(pairs.map(\.scale), shape: [channels]),
      offset: Tensor(pairs.map(\.offset), shape: [channels]))
  }

  /// The numbers scale[c] · x + offset[c], where c is the channel (the last axis).
  ///
  /// - Parameters:
  ///   - scale: `[C]`.
  ///   - offset: `[C]`.
  /// - Returns: a tensor of the same shape.
  public func affineChannels(scale: Tensor, offset: Tensor) -> Tensor {
    let channels = shape[-1]
    precondition(
      scale.shape == [channels] && offset.shape == [channels],
      "\(channels) channels with \(scale.shape) and \(offset.shape)")
    return modulatingRecorded(scale: scale, offset: offset)
  }

  /// The numbers scale · x + offset, with another scale and offset for each channel of each image.
  ///
  /// What a time embedding does to feature maps: Perez et al. 2017, arXiv:1709.07871.
  ///
  /// - Parameters:
  ///   - scale: `[N, 1, 1, C]`; by default 1.
  ///   - offset: `[N, 1, 1, C]`; by default 0.
  /// - Returns: `[N, H, W, C]`, as self is.
  public func modulated(scale: Tensor? = nil, offset: Tensor? = nil) -> Tensor {
    let small: Shape = [shape[0], 1, 1, shape[-1]]
    let scale = scale ?? Tensor(repeating: 1, shape: small)
    let offset = offset ?? Tensor(zeros: small)
    precondition(
      shape.rank == 4 && scale.shape == small && offset.shape == small,
      "\(shape) with \(scale.shape) and \(offset.shape)")
    return modulatingRecorded(scale: scale, offset: offset)
  }

  private func modulatingRecorded(scale: Tensor, offset: Tensor) -> Tensor {
    let result = modulating(scale: scale.storage, offset: offset.storage)
    guard GradientRecording.isOn(node, scale.node, offset.node) else { return result }
    let (x, factors) = (detached(), scale.detached())
    let images = scale.shape.rank == 4 ? shape[0] : 1
    return result.recorded([node, scale.node, offset.node]) { gradient, isNeeded in
      [
        isNeeded[0]
          ? gradient.modulating(
            scale: factors.storage, offset: Tensor(zeros: factors.shape).storage) : nil,
        isNeeded[1]
          ? gradient.channelSums(times: x, images: images).reshaped(to: factors.shape) : nil,
        isNeeded[2] ? gradient.channelSums(images: images).reshaped(to: factors.shape) : nil,
      ]
    }
  }
}
