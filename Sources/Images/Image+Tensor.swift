public import Tensors

extension Image {
  /// The colours as a tensor `[1, H, W, 3]` in −1…1; grey is repeated, opacity left out.
  ///
  /// A sample becomes `sample / 255 · 2 − 1` (`/ 65535` with 16 bits), in float32.
  public func tensor() -> Tensor {
    switch samples {
    case .eightBit(let samples):
      // All 256 results are computed once, so that dividing costs nothing.
      let scalars = (0...255).map { Float($0) / 255 * 2 - 1 }
      return unsafe scalars.withUnsafeBufferPointer { scalars in
        tensor(samples) { unsafe scalars[Int($0)] }
      }
    case .sixteenBit(let samples):
      return tensor(samples) { Float($0) / 65535 * 2 - 1 }
    }
  }

  private func tensor<Sample>(_ samples: [Sample], _ scalar: (Sample) -> Float) -> Tensor {
    let step = channels.count
    let (green, blue) = channels.isGrey ? (0, 0) : (1, 2)
    return unsafe Tensor(shape: [1, height, width, 3]) { target in
      unsafe samples.withUnsafeBufferPointer { source in
        guard var from = source.baseAddress, var to = target.baseAddress else { return }
        for _ in 0..<pixelCount {
          unsafe to[0] = scalar(from[0])
          unsafe to[1] = scalar(from[green])
          unsafe to[2] = scalar(from[blue])
          unsafe from += step
          unsafe to += 3
        }
      }
    }
  }

  /// The 8-bit picture of a tensor `[1, H, W, 3]` in −1…1, as ``Channels/rgb`` or
  /// ``Channels/grey``.
  ///
  /// Values outside are clamped and NaN becomes 0 (black). Halves are rounded to even, as numpy
  /// does. Grey is the mean of the three channels, which inverts ``tensor()`` on grey pictures.
  ///
  /// - Precondition: the shape is `[1, H, W, 3]`, and no opacity is asked for.
  public init(_ tensor: Tensor, channels: Channels = .rgb, source: ImageSource? = nil) {
    let shape = tensor.shape
    precondition(
      shape.rank == 4 && shape[0] == 1 && shape[3] == 3, "\(shape) isn't 1×height×width×3")
    precondition(!channels.hasAlpha, "a tensor of colours has no opacity")
    let pixelCount = shape[1] * shape[2]
    let samples = unsafe tensor.withUnsafePointer { scalars in
      unsafe [UInt8](unsafeUninitializedCapacity: pixelCount * channels.count) { target, count in
        guard let target = target.baseAddress else { return }
        if channels == .rgb {
          for index in 0..<pixelCount * 3 {
            unsafe target[index] = Self.sample(scalars[index])
          }
        } else {
          for index in 0..<pixelCount {
            let color = unsafe scalars + index &* 3
            unsafe target[index] = Self.sample((color[0] + color[1] + color[2]) / 3)
          }
        }
        count = pixelCount * channels.count
      }
    }
    self.init(
      width: shape[2], height: shape[1], channels: channels, samples: .eightBit(samples),
      source: source)
  }

  /// The sample 0…255 of a scalar in −1…1.
  @inline(__always)
  private static func sample(_ scalar: Float) -> UInt8 {
    let value = scalar * 127.5 + 127.5
    // Comparisons with NaN are false.
    let clamped = value > 0 ? (value < 255 ? value : 255) : 0
    // Added to 1.5·2²³, a number below 2²² is rounded to an integer, which then stands in the low
    // bits; `rounded()` would be a call on processors without SSE 4.1.
    return UInt8(truncatingIfNeeded: (clamped + 12_582_912).bitPattern)
  }
}
