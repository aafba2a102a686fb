public import Tensors

/// The name of a parameter, in the checkpoint's spelling: `encoder.down_blocks.0.conv.weight`.
public struct ParameterPath: Hashable, Sendable, CustomStringConvertible {
  /// The name; empty for the model itself.
  public let description: String

  /// The path of the model itself.
  public static let root = ParameterPath("")

  /// A path from its spelling.
  public init(_ description: String) {
    self.description = description
  }

  /// The path of a part: `path / "encoder"`.
  public static func / (path: ParameterPath, part: String) -> ParameterPath {
    ParameterPath(path.description.isEmpty ? part : "\(path.description).\(part)")
  }

  /// The path of an element of a list: `path / "resnets" / 0`.
  public static func / (path: ParameterPath, index: Int) -> ParameterPath {
    path / String(index)
  }
}

/// How a parameter's axes lie in a checkpoint, as opposed to in memory.
public enum ParameterLayout: Sendable {
  /// Alike in both: biases and the scales of norms, `[C]`.
  case unchanged
  /// `[Co, Ci, kh, kw]` there, `[kh, kw, Ci, Co]` here.
  case convolution
  /// `[Ci, Co, kh, kw]` there, `[kh, kw, Ci, Co]` here.
  case transposedConvolution
  /// `[Co, Ci]` there, `[Ci, Co]` here.
  case linear

  /// The checkpoint's shape of a parameter that has `shape` in memory.
  public func checkpointShape(of shape: Shape) -> Shape {
    switch self {
    case .unchanged: shape
    case .convolution: [shape[3], shape[2], shape[0], shape[1]]
    case .transposedConvolution: [shape[2], shape[3], shape[0], shape[1]]
    case .linear: [shape[1], shape[0]]
    }
  }

  /// A checkpoint's tensor in the layout that it has in memory.
  ///
  /// - Precondition: the tensor has the rank of this layout.
  public func fromCheckpoint(_ tensor: Tensor) -> Tensor {
    let shape = tensor.shape
    switch self {
    case .unchanged:
      return tensor
    case .convolution:
      // [Co, Ci·kh·kw] → [Ci, kh·kw, Co] → [kh·kw, Ci, Co]
      return tensor.reshaped(to: [shape[0], shape[1] * shape[2] * shape[3]]).transposed()
        .reshaped(to: [shape[1], shape[2] * shape[3], shape[0]]).swappingOuterAxes()
        .reshaped(to: [shape[2], shape[3], shape[1], shape[0]])
    case .transposedConvolution:
      // [Ci·Co, kh·kw] → [kh·kw, Ci·Co]
      return tensor.reshaped(to: [shape[0] * shape[1], shape[2] * shape[3]]).transposed()
        .reshaped(to: [shape[2], shape[3], shape[0], shape[1]])
    case .linear:
      return tensor.transposed()
    }
  }

  /// The inverse of ``fromCheckpoint(_:)``.
  public func toCheckpoint(_ tensor: Tensor) -> Tensor {
    let shape = tensor.shape
    switch self {
    case .unchanged:
      return tensor
    case .convolution:
      return tensor.reshaped(to: [shape[0] * shape[1], shape[2], shape[3]]).swappingOuterAxes()
        .reshaped(to: [shape[2] * shape[0] * shape[1], shape[3]]).transposed()
        .reshaped(to: checkpointShape(of: shape))
    case .transposedConvolution:
      return tensor.reshaped(to: [shape[0] * shape[1], shape[2] * shape[3]]).transposed()
        .reshaped(to: checkpointShape(of: shape))
    case .linear:
      return tensor.transposed()
    }
  }
}

/// Something to be done with each parameter of a model: loading, saving, counting, averaging.
public protocol ParameterVisitor {
  /// Called once for each parameter, in the order in which data flows.
  ///
  /// - Parameters:
  ///   - parameter: the value in memory, which may be replaced by one of the same shape.
  ///   - path: its name in a checkpoint.
  ///   - layout: how a checkpoint orders its axes.
  /// - Throws: what the visitor fails with; the visit ends there.
  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) throws
}

/// A function with parameters.
public protocol ParameterContainer: Sendable {
  /// Shows each parameter to `visitor`, under its name below `path`.
  mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor) throws
}

/// A function of one feature map, `[N, H, W, C]`, with parameters.
public protocol Layer: ParameterContainer {
  /// The layer's output for `x`.
  ///
  /// `x` is consumed: where the caller doesn't need it any more (`layer(consume x)`), its memory is
  /// free for other tensors, or even for the result.
  func callAsFunction(_ x: consuming Tensor) -> Tensor
}

extension Array where Element: ParameterContainer {
  /// Shows each element's parameters to `visitor`, under `path.0`, `path.1`, ….
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    for index in indices {
      try self[index].visitParameters(at: path / index, with: &visitor)
    }
  }
}

extension Optional where Wrapped: ParameterContainer {
  /// Shows the parameters, if there is anything, to `visitor`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try self?.visitParameters(at: path, with: &visitor)
  }
}
