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
    let attended = attend(
      toQueries(normalized).reshaped(to: shape), keys: toKeys(normalized).reshaped(to: shape),
      values: toValues(normalized).reshaped(to: shape))
    return toOutput(attended.reshaped(to: pixels), residual: x.reshaped(to: pixels))
      .reshaped(to: shape)
  }

  /// The attention of some rows of a map to the keys of all, or to those in the ``window``.
  ///
  /// - Parameters:
  ///   - queries: `[N, h, W, C]`.
  ///   - firstRow: where these rows stand in the map.
  ///   - keys: `[N, H, W, C]`.
  ///   - values: `[N, H, W, C]`.
  /// - Returns: `[N, h, W, C]`.
  package func attend(
    _ queries: Tensor, firstRow: Int = 0, keys: Tensor, values: Tensor
  ) -> Tensor {
    if let window, max(keys.shape[1], keys.shape[2]) > window {
      return queries.windowedAttention(
        keys: keys, values: values, heads: heads, window: window, firstRow: firstRow)
    }
    func flat(_ map: Tensor) -> Tensor {
      map.reshaped(to: [map.shape[0], map.shape[1] * map.shape[2], map.shape[3]])
    }
    return flat(queries).attention(keys: flat(keys), values: flat(values), heads: heads)
      .reshaped(to: queries.shape)
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
