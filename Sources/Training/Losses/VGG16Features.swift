public import Layers
public import Tensors

/// The convolutions of the network VGG16, whose feature maps tell what pictures look like.
///
/// Simonyan and Zisserman 2014, arXiv:1409.1556, configuration D; names as torchvision's
/// (`features.0.weight` …). Its parameters are constants when it serves as a loss.
public struct VGG16Features: ParameterContainer {
  /// 3 × 3 each; stages of 2, 2, 3, 3 and 3.
  public private(set) var convolutions: [Conv2d]

  /// How many convolutions, and of how many channels, each stage has.
  private static let stages = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]
  /// The places of the convolutions in torchvision's list, which has ReLU and pooling between.
  private static let places: [Int] = {
    var next = 0
    return stages.flatMap { count, _ -> [Int] in
      defer { next += 2 * count + 1 }
      return (0..<count).map { next + 2 * $0 }
    }
  }()

  /// The channels of each feature map: 64, 128, 256, 512, 512.
  public static let featureChannels = stages.map(\.1)
  /// The shortest side of a picture that has all feature maps.
  public static let leastSide = 16

  /// A network whose parameters are zero until they are loaded or initialised.
  public init() {
    var inputs = 3
    convolutions = Self.stages.flatMap { count, channels in
      (0..<count).map { _ in
        defer { inputs = channels }
        return Conv2d(inputChannels: inputs, outputChannels: channels, kernelSize: 3)
      }
    }
  }

  /// The feature maps of pictures: behind ReLU of the last convolution of each stage.
  ///
  /// - Parameter pictures: `[N, H, W, 3]` in −1…1.
  /// - Returns: five maps, `[N, H, W, 64]` to `[N, H/16, W/16, 512]`.
  /// - Precondition: no side is shorter than ``leastSide``.
  public func callAsFunction(_ pictures: Tensor) -> [Tensor] {
    precondition(
      min(pictures.shape[1], pictures.shape[2]) >= Self.leastSide,
      "\(pictures.shape) is too small for VGG16, which takes \(Self.leastSide) pixels a side")
    // torchvision's: ((x + 1)/2 − mean)/deviation.
    let (means, deviations): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    var hidden = pictures.affineChannels { channel in
      (0.5 / deviations[channel], (0.5 - means[channel]) / deviations[channel])
    }
    var maps: [Tensor] = []
    var index = 0
    for (stage, (count, _)) in Self.stages.enumerated() {
      if stage > 0 { hidden = hidden.maxPooled2x2() }
      for _ in 0..<count {
        hidden = convolutions[index](hidden, activation: .relu)
        index += 1
      }
      maps.append(hidden)
    }
    return maps
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    for (index, place) in Self.places.enumerated() {
      try convolutions[index].visitParameters(at: path / "features" / place, with: &visitor)
    }
  }
}
