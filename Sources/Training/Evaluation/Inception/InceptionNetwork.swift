import Layers
import Models
import Tensors

/// The network Inception v3, up to its features, as the FID of articles has it.
///
/// Szegedy et al. 2015, arXiv:1512.00567; with the poolings of the network of 2015 that Heusel et al.
/// 2017 (arXiv:1706.08500) took: means without the border's zeros, and one maximum. Names are
/// torchvision's. Norms are made part of the convolutions' weights.
struct InceptionNetwork: Sendable {
  /// A convolution with its norm and ReLU behind it.
  struct Convolution: Sendable {
    let name: String
    let outputs, height, width: Int
    var stride = 1
    var isPadded = true
  }

  /// What is done with a tensor.
  indirect enum Step: Sendable {
    case convolution(Convolution)
    /// The mean of up to 3×3 pixels around each.
    case mean
    /// The greatest of 3×3 pixels: around each, or, with stride 2, from every other on.
    case greatest(stride: Int)
    /// Results side by side in channels.
    case branches([[Step]])
  }

  private struct Parameters: Sendable {
    let weight, bias: Tensor
  }

  private let parameters: [String: Parameters]

  /// How many features there are.
  static let featureCount = 2048
  /// The side of the pictures that it takes.
  static let side = 299

  /// The network of a checkpoint, which may hold more: the layers for classes.
  ///
  /// - Throws: `CheckpointError`, with all that is missing or of another shape.
  init(_ checkpoint: Checkpoint) throws(CheckpointError) {
    let expected = Self.shapes
    let found = checkpoint.shapes.filter { expected[$0.key] != nil }
    let report = KeyReport(expected: expected, found: found)
    guard report.isEmpty else { throw .mismatch(source: checkpoint.source, report) }
    var parameters: [String: Parameters] = [:]
    for convolution in Self.convolutions(of: Self.steps) {
      parameters[convolution.name] = try Self.fold(convolution.name, of: checkpoint)
    }
    self.parameters = parameters
  }

  /// A convolution w with the norm γ(x − μ)/√(σ² + 10⁻³) + β behind it is one of wγ/√(σ² + 10⁻³).
  private static func fold(
    _ name: String, of checkpoint: Checkpoint
  ) throws(CheckpointError) -> Parameters {
    func numbers(_ key: String) throws(CheckpointError) -> [Float] {
      try checkpoint.tensor(named: "\(name).bn.\(key)").scalars
    }
    let (scale, offset) = (try numbers("weight"), try numbers("bias"))
    let (mean, variance) = (try numbers("running_mean"), try numbers("running_var"))
    let factors = zip(scale, variance).map { $0 / ($1 + 1e-3).squareRoot() }
    let weight = try checkpoint.tensor(named: "\(name).conv.weight")
    return Parameters(
      weight: ParameterLayout.convolution.fromCheckpoint(weight)
        .affineChannels { (factors[$0], 0) },
      bias: Tensor(
        factors.indices.map { offset[$0] - mean[$0] * factors[$0] }, shape: [factors.count]))
  }

  /// The features of pictures.
  ///
  /// - Parameter pictures: `[N, 299, 299, 3]` in −1…1.
  /// - Returns: `[N, 2048]`.
  func callAsFunction(_ pictures: Tensor) -> Tensor {
    let map = run(Self.steps, on: pictures)
    return map.mean(over: 1..<3).reshaped(to: [pictures.shape[0], Self.featureCount])
  }

  private func run(_ steps: [Step], on x: Tensor) -> Tensor {
    steps.reduce(x) { x, step in
      switch step {
      case .convolution(let convolution): run(convolution, on: x)
      case .mean: x.pooled3x3(.mean, stride: 1)
      case .greatest(let stride): x.pooled3x3(.greatest, stride: stride)
      case .branches(let branches):
        branches.dropFirst().reduce(run(branches[0], on: x)) {
          $0.concatenatedChannels(with: run($1, on: x))
        }
      }
    }
  }

  private func run(_ convolution: Convolution, on x: Tensor) -> Tensor {
    guard let own = parameters[convolution.name] else {
      preconditionFailure("no parameters of \(convolution.name)")
    }
    let (down, across) =
      convolution.isPadded ? (convolution.height / 2, convolution.width / 2) : (0, 0)
    return x.conv2d(
      own.weight, bias: own.bias, stride: convolution.stride,
      padding: ConvolutionPadding(top: down, left: across, bottom: down, right: across),
      activation: .relu)
  }

  // MARK: Shapes

  private static func convolutions(of steps: [Step]) -> [Convolution] {
    steps.flatMap { step -> [Convolution] in
      switch step {
      case .convolution(let convolution): [convolution]
      case .branches(let branches): branches.flatMap(convolutions)
      case .mean, .greatest: []
      }
    }
  }

  /// The shapes of all tensors, by name.
  static var shapes: [String: Shape] {
    var shapes: [String: Shape] = [:]
    _ = addShapes(of: steps, inputs: 3, to: &shapes)
    return shapes
  }

  /// Adds the shapes of some steps.
  ///
  /// - Returns: the channels behind them.
  private static func addShapes(
    of steps: [Step], inputs: Int, to shapes: inout [String: Shape]
  ) -> Int {
    var channels = inputs
    for step in steps {
      switch step {
      case .convolution(let convolution):
        shapes["\(convolution.name).conv.weight"] = [
          convolution.outputs, channels, convolution.height, convolution.width,
        ]
        for key in ["weight", "bias", "running_mean", "running_var"] {
          shapes["\(convolution.name).bn.\(key)"] = [convolution.outputs]
        }
        channels = convolution.outputs
      case .branches(let branches):
        channels = branches.reduce(0) { $0 + addShapes(of: $1, inputs: channels, to: &shapes) }
      case .mean, .greatest: break
      }
    }
    return channels
  }
}
