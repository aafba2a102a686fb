public import Layers
public import Tensors

/// A network that estimates, from a noisy latent and the time, what a scheduler asks for: the noise,
/// the latent without it, or the velocity.
///
/// Latents are `[N, H, W, C]` in the diffusion model's space (see ``LatentScaling``).
public protocol Denoiser: ParameterContainer {
  /// The class's name in `config.json`: `UNet2DModel`.
  static var className: String { get }

  /// The sizes that it was built with.
  associatedtype Configuration: Encodable & Sendable

  /// The sizes that it was built with.
  var configuration: Configuration { get }

  /// C of the latents that it takes.
  var inputChannels: Int { get }

  /// C of its estimates.
  var outputChannels: Int { get }

  /// How many classes it knows; nil if it takes no labels. Which of them stands for "no class" is
  /// the caller's business.
  var labelCount: Int? { get }

  /// The height and width of the latents that it was trained with, or one number for both; nil if
  /// that isn't known.
  var trainedSize: [Int]? { get }

  /// What height and width must be multiples of.
  var spatialFactor: Int { get }

  /// The estimate for noisy latents.
  ///
  /// - Parameters:
  ///   - latents: `[N, H, W, inputChannels]`, scaled as the scheduler wants them.
  ///   - timesteps: one for each image, or one for all; they need not be whole.
  ///   - labels: the class of each image, in 0..<``labelCount``; nil just if that is nil.
  /// - Returns: `[N, H, W, outputChannels]`.
  /// - Precondition: height and width are multiples of ``spatialFactor``, and the counts agree.
  func callAsFunction(_ latents: Tensor, timesteps: [Float], labels: [Int]?) -> Tensor
}

extension Denoiser {
  /// The `config.json` of a folder that diffusers loads.
  public func configurationJSON() throws -> String {
    try configuration.json(className: Self.className)
  }
}

extension ImportedModel {
  /// The denoiser, with its weights.
  ///
  /// - Throws: ``CheckpointError`` where the class is no denoiser, the configuration can't be built,
  ///   or the weights aren't the configuration's.
  public func denoiser() throws -> any Denoiser {
    guard className == UNet2DModel.className else {
      throw configuration.unsupported(
        "the class \(className) is no denoiser that can be loaded (known: \(UNet2DModel.className))"
      )
    }
    var model = UNet2DModel(try UNet2DModel.Configuration(configuration))
    try WeightLoader.load(checkpoint, into: &model, where: { _ in true }, inspect: { _, _ in })
    return model
  }
}
