package import LatentFiles
import Models
package import Tensors

/// A latent as other programs keep it, without what a `.latent` file says of itself.
package struct ForeignLatent: Sendable {
  /// The formats.
  package enum Format: String, CaseIterable, Sendable {
    /// kohya's sd-scripts: a zip of `latents_HxW`, `original_size_HxW` and `crop_ltrb_HxW`.
    case kohyaNPZ = "kohya-npz"
    /// A bare array C×h×w, or with deviations 2C×h×w as PixArt keeps it.
    case npy
    /// A tensor `latent`, as ai-toolkit keeps it.
    case safetensors

    /// The extension of its files.
    package var fileExtension: String {
      switch self {
      case .kohyaNPZ: "npz"
      case .npy: "npy"
      case .safetensors: "safetensors"
      }
    }

    /// The format of a file, by its name's extension.
    package init?(path: String) {
      guard let found = PathText.fileExtension(of: path),
        let format = Self.allCases.first(where: { $0.fileExtension == found })
      else { return nil }
      self = format
    }
  }

  /// `[1, h, w, C]`: the mean, or a sample, in the autoencoder's own range.
  package var latent: Tensor
  /// The deviation of each number, in the same shape, where the posterior is kept.
  package var deviation: Tensor?
  /// What the latent is; nil where the file doesn't tell.
  package var values: LatentMetadata.Values?
  /// The width and height of the picture that the latent was made of, before it was cut to size.
  package var originalSize: [Int]?
  /// Which part of the picture the latent shows: left, top, right, bottom.
  package var crop: [Int]?
  /// The picture's size, if it isn't a multiple of the model's factor.
  package var pictureSize: (width: Int, height: Int)?
  /// The SHA-256 of the weights that made it.
  package var weights: String?
  /// Whether the numbers are shifted and scaled as a denoiser takes them.
  package var isScaled = false

  package init(latent: Tensor) {
    self.latent = latent
  }
}

// MARK: .latent files

extension ForeignLatent {
  /// The latent of a `.latent` file.
  package init(_ file: LatentFile) {
    let stored = file.latent.dequantized()
    let metadata = file.metadata
    let channels = metadata.values == .moments ? stored.shape[3] / 2 : stored.shape[3]
    self.init(latent: stored)
    if metadata.values == .moments {
      let posterior = DiagonalGaussianDistribution(moments: stored)
      (latent, deviation) = (posterior.mean, posterior.standardDeviation)
    }
    values = metadata.values
    weights = metadata.model.sha256
    let (height, width) = (
      metadata.source?.height ?? latent.shape[1] * metadata.spatialFactor,
      metadata.source?.width ?? latent.shape[2] * metadata.spatialFactor
    )
    pictureSize = (width, height)
    let imported = metadata.additional[Self.key].flatMap { value -> JSONObject? in
      if case .object(let object) = value { object } else { nil }
    }
    originalSize = imported.flatMap { Self.integers($0["original_size"]) } ?? [width, height]
    crop = imported.flatMap { Self.integers($0["crop_ltrb"]) } ?? [0, 0, width, height]
    assert(latent.shape[3] == channels)
  }

  private static let key = "imported"

  private static func integers(_ value: JSONValue?) -> [Int]? {
    guard case .array(let values)? = value else { return nil }
    return values.compactMap { $0.integer(as: Int.self) }
  }

  /// What the header of an imported file says about its origin.
  private func origin(_ origin: Origin) -> JSONValue {
    var object = JSONObject()
    object["format"] = .string(origin.format.rawValue)
    object["sha256"] = .string(origin.sha256)
    if origin.wasScaled { object["scaled"] = .boolean(true) }
    if let originalSize { object["original_size"] = JSONValue(originalSize) }
    if let crop { object["crop_ltrb"] = JSONValue(crop) }
    return .object(object)
  }

  /// The file that a latent was taken from.
  package struct Origin: Sendable {
    /// Its format.
    package var format: Format
    /// Its SHA-256.
    package var sha256: String
    /// Whether its numbers were scaled, and that was undone.
    package var wasScaled: Bool

    package init(format: Format, sha256: String, wasScaled: Bool) {
      self.format = format
      self.sha256 = sha256
      self.wasScaled = wasScaled
    }
  }

  /// Whether a `.latent` file was imported from this file.
  package static func isImport(_ metadata: LatentMetadata, of origin: Origin) -> Bool {
    guard case .object(let object)? = metadata.additional[key] else { return false }
    return object["sha256"] == .string(origin.sha256)
      && (object["scaled"] == .boolean(true)) == origin.wasScaled
  }

  /// The `.latent` file that keeps this latent.
  ///
  /// - Parameters:
  ///   - model: The autoencoder that made it.
  ///   - storage: How numbers are stored.
  ///   - given: What the numbers are, where the file doesn't tell.
  ///   - origin: Where it comes from.
  /// - Returns: The file.
  /// - Throws: ``InterchangeError`` if the model can't have made it; `LatentFileError`.
  package func file(
    of model: PretrainedAutoencoder, storage: LatentStorage, values given: LatentMetadata.Values,
    from origin: Origin
  ) throws -> LatentFile {
    let autoencoder = model.autoencoder
    guard latent.shape[3] == autoencoder.latentChannels else {
      throw InterchangeError.shape(
        found: [latent.shape[3], latent.shape[1], latent.shape[2]], model: model.name,
        channels: autoencoder.latentChannels)
    }
    if let weights, weights != model.sha256 {
      throw InterchangeError.otherModel(found: weights, model: model.name, sha256: model.sha256)
    }
    var metadata = LatentMetadata(
      program: Program.nameAndVersion, model: model.latentModel,
      spatialFactor: autoencoder.spatialFactor,
      values: deviation != nil ? .moments : values ?? given)
    metadata.additional[Self.key] = self.origin(origin)
    let (rows, columns) = (
      latent.shape[1] * autoencoder.spatialFactor, latent.shape[2] * autoencoder.spatialFactor
    )
    if let (width, height) = pictureSize {
      guard (rows - autoencoder.spatialFactor + 1...rows).contains(height),
        (columns - autoencoder.spatialFactor + 1...columns).contains(width)
      else {
        throw InterchangeError.damaged(
          format: origin.format.rawValue,
          reason: "the picture's size \(width)×\(height) doesn't fit the latent's")
      }
      metadata.source = LatentSource(width: width, height: height)
    }
    return LatentFile(
      metadata: metadata, latent: try LatentQuantizer(storage: storage).quantize(stored))
  }

  /// What a `.latent` file stores: the latent, or mean and log-variance.
  private var stored: Tensor {
    guard let deviation else { return latent }
    let posterior = DiagonalGaussianDistribution(
      mean: latent,
      logVariance: Tensor(
        deviation.scalars.map { Self.logVariance(ofDeviation: $0) }, shape: deviation.shape))
    return posterior.moments ?? latent
  }
}
