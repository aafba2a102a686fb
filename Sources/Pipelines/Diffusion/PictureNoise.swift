public import Tensors

/// The noise that one picture is made of: first that of its latent, then what the steps add.
///
/// A picture's noise depends on the seed and the picture's number alone, so that picture k is the
/// same whatever else is drawn.
public struct PictureNoise: Sendable {
  /// Where random numbers come from.
  public enum Generator: String, CaseIterable, Sendable, Hashable {
    /// This project's own: stream k of the seed, in the tensor's order `[H, W, C]`.
    case philox
    /// PyTorch's on the CPU: picture k is `torch.randn(1, C, H, W)` after
    /// `torch.manual_seed(seed + k)`, and each further noise the next such call.
    case torch
  }

  private indirect enum Stream: Sendable {
    case philox(PhiloxRandomSource)
    case torch(TorchRandomSource)
    case between(PictureNoise, PictureNoise, place: Double)
  }

  private var stream: Stream

  private init(_ stream: Stream) { self.stream = stream }

  /// The noise of a picture.
  ///
  /// - Parameters:
  ///   - generator: Where it comes from.
  ///   - seed: Of all pictures.
  ///   - picture: The picture's number, from 0.
  public init(_ generator: Generator, seed: UInt64, picture: Int = 0) {
    switch generator {
    case .philox:
      self.init(.philox(PhiloxRandomSource(seed: seed).stream(UInt64(picture))))
    case .torch: self.init(.torch(TorchRandomSource(seed: seed &+ UInt64(picture))))
    }
  }

  /// Noise on the arc from one picture's to another's: see ``LatentInterpolation/slerp``.
  ///
  /// - Parameters:
  ///   - first: What it is at 0.
  ///   - second: What it is at 1.
  ///   - place: 0…1.
  /// - Returns: Noise of the same distribution.
  public static func between(
    _ first: PictureNoise, _ second: PictureNoise, at place: Double
  ) -> PictureNoise {
    PictureNoise(.between(first, second, place: place))
  }

  /// The next standard normal numbers.
  ///
  /// - Returns: `[1, height, width, channels]`.
  public mutating func next(height: Int, width: Int, channels: Int) -> Tensor {
    switch stream {
    case .philox(var source):
      defer { stream = .philox(source) }
      return Tensor.randomNormal(shape: [1, height, width, channels], using: &source)
    case .torch(var source):
      defer { stream = .torch(source) }
      return Tensor.randomNormal(shape: [1, channels, height, width], using: &source)
        .channelsLast()
    case .between(var first, var second, let place):
      defer { stream = .between(first, second, place: place) }
      let start = first.next(height: height, width: width, channels: channels)
      let end = second.next(height: height, width: width, channels: channels)
      return LatentInterpolation.slerp(start, end, at: place)
    }
  }
}
