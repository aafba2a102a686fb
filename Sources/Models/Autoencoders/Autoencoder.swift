public import Layers
public import Tensors

/// A network that turns pictures into latents and back.
///
/// Pictures are `[N, H, W, 3]` in −1…1; latents `[N, h, w, C]` with h = H / ``spatialFactor``.
public protocol Autoencoder: ParameterContainer {
  /// The class's name in `config.json`: `AutoencoderKL`.
  static var className: String { get }

  /// The sizes that it was built with.
  associatedtype Configuration: Encodable & Sendable

  /// The sizes that it was built with.
  var configuration: Configuration { get }

  /// By how much a latent is smaller than its picture, along each axis.
  var spatialFactor: Int { get }

  /// C, the number of a latent's channels.
  var latentChannels: Int { get }

  /// How latents are brought to the range that a diffusion model works in; part of the
  /// ``configuration``, which keeps what it has a key for.
  var latentScaling: LatentScaling { get set }

  /// About how much memory encoding or decoding takes at its peak, for each pixel of the picture.
  var workingBytesPerPixel: Int { get }

  /// Whether ``encode(_:)`` gives a distribution with a variance.
  var hasPosterior: Bool { get }

  /// The height and width of what a place sees of a larger map in attention; nil for all of it, which is
  /// usual. Always nil without attention.
  ///
  /// With it the cost of attention no longer grows with the square of the pixels, and results differ.
  var attentionWindow: Int? { get set }

  /// The posterior q(z|x) of pictures.
  ///
  /// - Precondition: height and width are multiples of ``spatialFactor``.
  func encode(_ pictures: Tensor) -> DiagonalGaussianDistribution

  /// The pictures of latents, about −1…1, not clamped.
  func decode(_ latents: Tensor) -> Tensor

  /// How a picture of this size is encoded or decoded in at most `byteCount` bytes, beside the
  /// weights and the picture.
  ///
  /// - Precondition: height and width are multiples of ``spatialFactor``.
  /// - Throws: ``StreamingError`` if that can't be.
  func plan(
    _ direction: CodingDirection, height: Int, width: Int, byteCount: Int
  ) throws(StreamingError) -> StreamingPlan

  /// The posterior of a picture that is read in bands of rows: that of ``encode(_:)`` to rounding.
  ///
  /// - Throws: what reading throws, and `SpillError`.
  func encode(
    _ picture: PictureRows, following plan: StreamingPlan
  ) throws -> DiagonalGaussianDistribution

  /// Decodes latents `[1, h, w, C]` and hands the picture of ``decode(_:)``, to rounding, to
  /// `write` in bands of rows, `[1, rows, W, 3]`, from the top down.
  ///
  /// - Throws: what `write` throws, and `SpillError`.
  func decode(
    _ latents: Tensor, following plan: StreamingPlan, write: (Tensor) throws -> Void) throws
}

extension Autoencoder {
  /// Nothing: there is no attention.
  public var attentionWindow: Int? {
    get { nil }
    set {}
  }
}

/// The range that a diffusion model works in: z' = (z − shift) · scale, channel by channel.
///
/// The only place where these factors are applied; ``toAutoencoder(_:)`` is the inverse of
/// ``toDiffusion(_:)``. As diffusers' pipelines, including `latents_mean` and `latents_std`.
public struct LatentScaling: Hashable, Sendable {
  /// What latents are multiplied with: 0.18215 for Stable Diffusion 1 and 2.
  public var factor: Float
  /// What is subtracted first: 0.1159 for FLUX.1.
  public var shift: Float
  /// What is subtracted from each channel; replaces ``shift`` where it is given.
  public var mean: [Float]?
  /// What each channel is divided by.
  public var standardDeviation: [Float]?

  /// The scaling of a model.
  public init(
    factor: Float = 1, shift: Float = 0, mean: [Float]? = nil, standardDeviation: [Float]? = nil
  ) {
    self.factor = factor
    self.shift = shift
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  /// From the autoencoder's space to the diffusion model's.
  public func toDiffusion(_ latents: Tensor) -> Tensor {
    latents.affineChannels { channel in
      let scale = factor / (standardDeviation?[channel] ?? 1)
      return (scale, -(mean?[channel] ?? shift) * scale)
    }
  }

  /// From the diffusion model's space to the autoencoder's.
  public func toAutoencoder(_ latents: Tensor) -> Tensor {
    latents.affineChannels { channel in
      ((standardDeviation?[channel] ?? 1) / factor, mean?[channel] ?? shift)
    }
  }
}
