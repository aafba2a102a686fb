public import Tensors

/// What a `.latent` file says about where its latent came from.
public struct LatentMetadata: Sendable, Equatable {
  /// What the numbers of a latent are.
  public enum Values: String, Sendable, CaseIterable {
    /// The mean of the encoder's distribution.
    case mean
    /// A draw from the encoder's distribution.
    case sample
    /// The distribution itself: the planes of the mean, then those of the logarithm of the variance.
    case moments
  }

  /// The program that wrote the file, with its version.
  public var program: String
  /// The autoencoder that made the latent.
  public var model: LatentModel
  /// How many pixels of the picture a row or column of the latent stands for.
  public var spatialFactor: Int
  /// What the numbers are, in the autoencoder's own space: no scaling factor is applied.
  public var values: Values
  /// The seed of the draw, for ``Values/sample``.
  public var seed: UInt64?
  /// The picture that was encoded; none for a latent that was generated.
  public var source: LatentSource?
  /// A guess of the picture's colours, for thumbnails.
  public var preview: LatentPreview?
  /// Members of the header that this version does not know; they are kept.
  public var additional = JSONObject()

  /// The description of a latent.
  public init(
    program: String, model: LatentModel, spatialFactor: Int, values: Values = .mean,
    seed: UInt64? = nil, source: LatentSource? = nil, preview: LatentPreview? = nil
  ) {
    self.program = program
    self.model = model
    self.spatialFactor = spatialFactor
    self.values = values
    self.seed = seed
    self.source = source
    self.preview = preview
  }
}

/// The autoencoder behind a latent.
public struct LatentModel: Sendable, Equatable {
  /// The name, for people.
  public var name: String
  /// The class, as in the model's `config.json`: `AutoencoderKL`.
  public var className: String
  /// The SHA-256 of the weights: 64 lowercase hexadecimal digits.
  public var sha256: String
  /// What a denoiser's input is multiplied by, after the shift: `(z − shift) · scaling`.
  public var scalingFactor: Float
  /// What is subtracted before the scaling.
  public var shiftFactor: Float
  /// The mean of each channel over a data set, where the model has it.
  public var latentsMean: [Float]?
  /// The standard deviation of each channel over a data set, where the model has it.
  public var latentsStd: [Float]?

  /// The description of an autoencoder.
  public init(
    name: String, className: String, sha256: String, scalingFactor: Float = 1,
    shiftFactor: Float = 0, latentsMean: [Float]? = nil, latentsStd: [Float]? = nil
  ) {
    self.name = name
    self.className = className
    self.sha256 = sha256
    self.scalingFactor = scalingFactor
    self.shiftFactor = shiftFactor
    self.latentsMean = latentsMean
    self.latentsStd = latentsStd
  }
}

/// The picture behind a latent.
public struct LatentSource: Sendable, Equatable {
  /// The colours of a picture.
  public enum Colour: String, Sendable, CaseIterable {
    /// One channel.
    case grey
    /// Three channels.
    case rgb
  }

  /// The columns of the picture that decoding gives: after the orientation was applied.
  public var width: Int
  /// The rows of the picture that decoding gives: after the orientation was applied.
  public var height: Int
  /// The colours.
  public var colour: Colour
  /// The bits of the picture's alpha: 0, 8 or 16.
  ///
  /// They are stored only if the file has an alpha plane; otherwise the picture was laid on a
  /// colour.
  public var alphaBitDepth: Int
  /// The Exif orientation that was applied before encoding, 1…8; 1 changes nothing.
  public var orientation: Int
  /// The SHA-256 of the picture's file: 64 lowercase hexadecimal digits.
  public var sha256: String?
  /// The name of the format of the picture's file, such as `png`.
  public var format: String?

  /// The description of a picture.
  public init(
    width: Int, height: Int, colour: Colour = .rgb, alphaBitDepth: Int = 0, orientation: Int = 1,
    sha256: String? = nil, format: String? = nil
  ) {
    self.width = width
    self.height = height
    self.colour = colour
    self.alphaBitDepth = alphaBitDepth
    self.orientation = orientation
    self.sha256 = sha256
    self.format = format
  }
}

/// A linear guess of the colours at each place of a latent: `matrix · latent + bias`.
public struct LatentPreview: Sendable, Equatable {
  /// Three rows, for red, green and blue, of a weight for each channel.
  public var matrix: [[Float]]
  /// What is added to red, green and blue; the results lie in −1…1, as pixels do.
  public var bias: [Float]

  /// A projection onto red, green and blue.
  public init(matrix: [[Float]], bias: [Float]) {
    self.matrix = matrix
    self.bias = bias
  }
}
