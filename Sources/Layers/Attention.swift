public import Tensors

/// Self-attention over the pixels of a feature map, with a residual, as diffusers' `Attention` in
/// autoencoders and `UNet2DModel`.
public struct Attention: Layer {
  /// Before the projections; nil where there is none.
  public var groupNorm: GroupNorm?
  /// The projections to queries, keys and values.
  public var toQueries, toKeys, toValues: Linear
  /// The projection of the result.
  public var toOutput: Linear
  /// Into how many heads the channels are divided.
  public let heads: Int
  /// The height and width of what a place sees of a larger map; nil for all of it, exactly.
  public var window: Int?

  /// A block whose parameters are those of its fresh layers.
  ///
  /// - Parameters:
  ///   - channels: C.
  ///   - heads: into how many the channels are divided.
  ///   - groups: of the norm; nil for a block without one.
  ///   - epsilon: of the norm.
  /// - Precondition: `heads` and `groups` divide C.
  public init(channels: Int, heads: Int, groups: Int?, epsilon: Float) {
    groupNorm = groups.map { GroupNorm(groups: $0, channels: channels, epsilon: epsilon) }
    toQueries = Linear(inputChannels: channels, outputChannels: channels)
    toKeys = Linear(inputChannels: channels, outputChannels: channels)
    toValues = Linear(inputChannels: channels, outputChannels: channels)
    toOutput = Linear(inputChannels: channels, outputChannels: channels)
    self.heads = heads
  }

  /// x + out(attention(norm(x))): `[N, H, W, C]` → `[N, H, W, C]`.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    let shape = x.shape
    let pixels: Shape = [shape[0], shape[1] * shape[2], shape[3]]
    let normalized: Tensor
    if let groupNorm {
      normalized = groupNorm(x, activation: .identity).reshaped(to: pixels)
    } else {
      normalized = (copy x).reshaped(to: pixels)
    }
    let (queries, keys, values) = (
      toQueries(normalized), toKeys(normalized), toValues(normalized)
    )
    let attended: Tensor
    if let window, max(shape[1], shape[2]) > window {
      attended = queries.reshaped(to: shape).windowedAttention(
        keys: keys.reshaped(to: shape), values: values.reshaped(to: shape), heads: heads,
        window: window
      ).reshaped(to: pixels)
    } else {
      attended = queries.attention(keys: keys, values: values, heads: heads)
    }
    return toOutput(attended, residual: x.reshaped(to: pixels)).reshaped(to: shape)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try groupNorm.visitParameters(at: path / "group_norm", with: &visitor)
    try toQueries.visitParameters(at: path / "to_q", with: &visitor)
    try toKeys.visitParameters(at: path / "to_k", with: &visitor)
    try toValues.visitParameters(at: path / "to_v", with: &visitor)
    try toOutput.visitParameters(at: path / "to_out" / 0, with: &visitor)
  }
}
