public import Layers
public import Tensors

/// A small network that tells the classes of pictures, and whose features measure how alike sets of
/// pictures are.
///
/// Convolutions of 3 × 3 with stride 2, each with a norm over groups and SiLU behind it; the mean
/// over the positions that are left gives the features, and a linear layer a number for each class.
public struct PictureClassifier: ParameterContainer {
  /// Its sizes and classes.
  public struct Configuration: Hashable, Sendable {
    /// The side of the pictures that it takes, in pixels.
    public var side = 64
    /// The channels behind each convolution; the last are the features.
    public var blockOutChannels = [32, 64, 128, 128]
    /// The groups of each norm.
    public var normNumGroups = 8
    /// The classes.
    public var classNames: [String]

    /// A network for these classes.
    public init(classNames: [String]) {
      self.classNames = classNames
    }

    /// How many features a picture has.
    public var featureCount: Int { blockOutChannels.last ?? 0 }
  }

  /// Its sizes and classes.
  public let configuration: Configuration
  /// Each halves the picture.
  public var convolutions: [Conv2d]
  /// Behind each convolution.
  public var norms: [GroupNorm]
  /// From features to classes.
  public var head: Linear

  /// A network whose convolutions are zero until they are loaded or initialised.
  ///
  /// - Precondition: the groups divide all channels.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    let channels = configuration.blockOutChannels
    convolutions = zip([3] + channels, channels).map { inputs, outputs in
      Conv2d(
        inputChannels: inputs, outputChannels: outputs, kernelSize: 3, stride: 2,
        padding: ConvolutionPadding(1), hasBias: false)
    }
    norms = channels.map {
      GroupNorm(groups: configuration.normNumGroups, channels: $0, epsilon: 1e-5)
    }
    head = Linear(
      inputChannels: configuration.featureCount, outputChannels: configuration.classNames.count)
  }

  /// The features of pictures.
  ///
  /// - Parameter pictures: `[N, side, side, 3]` in −1…1.
  /// - Returns: `[N, featureCount]`.
  public func features(of pictures: Tensor) -> Tensor {
    var hidden = pictures
    for (convolution, norm) in zip(convolutions, norms) {
      hidden = norm(convolution(hidden), activation: .silu)
    }
    return hidden.mean(over: 1..<3)
      .reshaped(to: [pictures.shape[0], configuration.featureCount])
  }

  /// A number for each class, greatest for the likeliest: `[N, features]` → `[N, classes]`.
  public func logits(ofFeatures features: Tensor) -> Tensor { head(features) }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    for index in convolutions.indices {
      try convolutions[index].visitParameters(at: path / "convolutions" / index, with: &visitor)
      try norms[index].visitParameters(at: path / "norms" / index, with: &visitor)
    }
    try head.visitParameters(at: path / "head", with: &visitor)
  }
}
