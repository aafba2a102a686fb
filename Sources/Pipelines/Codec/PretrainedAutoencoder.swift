public import LatentFiles
public import Models

/// An autoencoder with its weights, and which weights they are.
public struct PretrainedAutoencoder: Sendable {
  /// For people; also in `.latent` files.
  public let name: String
  /// The network.
  public let autoencoder: any Autoencoder
  /// The SHA-256 that tells its weights from others, see ``WeightDigest``.
  public let sha256: String
  /// The number of parameters.
  public let parameterCount: Int

  /// A network whose weights are loaded; its weights are hashed.
  public init(name: String, autoencoder: any Autoencoder) {
    self.name = name
    self.autoencoder = autoencoder
    var digest = WeightDigest()
    digest.visit(autoencoder)
    sha256 = digest.hexadecimal
    parameterCount = digest.parameterCount
  }

  /// The class's name in `config.json`.
  public var className: String { type(of: autoencoder).className }

  /// What a `.latent` file says about its model.
  public var latentModel: LatentModel {
    let scaling = autoencoder.latentScaling
    return LatentModel(
      name: name, className: className, sha256: sha256, scalingFactor: scaling.factor,
      shiftFactor: scaling.shift, latentsMean: scaling.mean,
      latentsStd: scaling.standardDeviation)
  }

  /// Refuses a picture that doesn't fit into the memory that is free, before any of it is taken.
  func checkMemory(height: Int, width: Int) throws(CodecError) {
    let factor = autoencoder.spatialFactor
    let pixels = (height + factor) * (width + factor)
    let needed = autoencoder.workingBytesPerPixel * pixels
    guard let available = SystemMemory.availableByteCount, needed > available else { return }
    throw .tooLarge(height: height, width: width, needed: needed, available: available)
  }
}
