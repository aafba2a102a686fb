public import FoundationEssentials
import Layers
public import Models
public import Tensors

/// How different pictures look: the distance of their features in VGG16.
///
/// Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric"
/// (LPIPS), arXiv:1801.03924, equation 1: the features at each position are divided by their norm,
/// and their squared differences are added over the channels, averaged over the positions and added
/// over five layers. Heads that weigh the channels are used if the file has them; then the distance
/// is that of LPIPS, else all channels weigh 1, which is what its authors call the uncalibrated
/// distance.
public struct PerceptualDistance: Sendable {
  /// What gives the features.
  public let network: VGG16Features
  /// The weights of each layer's channels, `[C, 1]` each; nil if all weigh 1.
  public let heads: [Tensor]?

  /// A distance.
  ///
  /// - Parameters:
  ///   - network: what gives the features.
  ///   - heads: the weights of each layer's channels, `[C, 1]` each; nil if all weigh 1.
  /// - Precondition: there is a head for each layer, or none.
  public init(network: VGG16Features, heads: [Tensor]? = nil) {
    precondition(
      heads.map { $0.map(\.shape) == VGG16Features.featureChannels.map { [$0, 1] } } ?? true,
      "heads of \(heads.map { $0.map(\.shape) } ?? [])")
    self.network = network
    self.heads = heads
  }

  /// Reads the network's weights, and the heads if there are any.
  ///
  /// - Parameter url: safetensors or a file of `torch.save`, with torchvision's names
  ///   (`features.0.weight` …; its `classifier.…` isn't used) and, for the heads, lpips'
  ///   (`lin0.model.1.weight` …).
  /// - Throws: `CheckpointError` that names the tensors which are missing, unknown or of another
  ///   shape.
  public init(contentsOf url: URL) throws(CheckpointError) {
    try self.init(Checkpoint(contentsOf: url))
  }

  /// Takes the network's weights, and the heads, from a checkpoint.
  ///
  /// - Throws: `CheckpointError`; see ``init(contentsOf:)``.
  public init(_ checkpoint: Checkpoint) throws(CheckpointError) {
    var network = VGG16Features()
    var expected = ShapeCollector()
    // This visitor throws nothing.
    try? network.visitParameters(at: .root, with: &expected)
    let found = checkpoint.shapes.filter { !$0.key.hasPrefix("classifier.") }
    let hasHeads = found.keys.contains { $0.hasPrefix("lin") }
    if hasHeads {
      for (layer, channels) in VGG16Features.featureChannels.enumerated() {
        expected.shapes[Self.headName(layer)] = [1, channels, 1, 1]
      }
    }
    let report = KeyReport(expected: expected.shapes, found: found)
    guard report.isEmpty else { throw .mismatch(source: checkpoint.source, report) }
    var tensors: [String: Tensor] = [:]
    for name in expected.shapes.keys.sorted() {
      tensors[name] = try checkpoint.tensor(named: name)
    }
    var loader = TensorTaker(tensors: tensors)
    // Nor does this one: the names were compared.
    try? network.visitParameters(at: .root, with: &loader)
    let heads = VGG16Features.featureChannels.indices.compactMap { layer in
      tensors[Self.headName(layer)].map { $0.reshaped(to: [$0.shape[1], 1]) }
    }
    self.init(network: network, heads: hasHeads ? heads : nil)
  }

  private static func headName(_ layer: Int) -> String { "lin\(layer).model.1.weight" }

  /// The distance of reconstructions from pictures, the mean over them: a scalar.
  ///
  /// - Parameters:
  ///   - y: reconstructions, `[N, H, W, 3]` in −1…1.
  ///   - x: pictures.
  /// - Returns: a scalar, with a gradient where one is recorded.
  /// - Precondition: no side is shorter than 16.
  public func callAsFunction(_ y: Tensor, _ x: Tensor) -> Tensor {
    let (first, second) = (network(y), network(x))
    var sum: Tensor?
    for layer in first.indices {
      let difference = (unit(first[layer]) - unit(second[layer])).squared()
      let positions = Float(difference.shape.scalarCount / difference.shape[3])
      let weighed = heads.map { difference.matrixProduct($0[layer]) } ?? difference
      let term = weighed.sum() / positions
      sum = sum.map { $0 + term } ?? term
    }
    return sum ?? Tensor(zeros: [])
  }

  /// Each position's features divided by their norm; 0 stays 0.
  private func unit(_ features: Tensor) -> Tensor {
    // The root of a bit more than 0 has a derivative.
    let norms = (features.squared().sum(over: 3..<4) + 1e-20).squareRoot()
    return features / norms.expanded(to: features.shape)
  }
}

/// The names and shapes that a checkpoint should have.
private struct ShapeCollector: ParameterVisitor {
  var shapes: [String: Shape] = [:]

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    shapes[path.description] = layout.checkpointShape(of: parameter.shape)
  }
}

/// Puts tensors in the places of their names.
private struct TensorTaker: ParameterVisitor {
  let tensors: [String: Tensor]

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    if let tensor = tensors[path.description] { parameter = layout.fromCheckpoint(tensor) }
  }
}
