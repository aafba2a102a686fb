extension Tensor {
  /// Scaled dot-product attention, softmax(q·kᵀ / √d)·v, with self as q.
  ///
  /// The matrix of scores is never in memory as a whole: keys are taken in blocks, and the softmax's
  /// maximum and sum follow along (Milakov and Gimelshein 2018, arXiv:1805.02867).
  /// Vaswani et al. 2017, arXiv:1706.03762; as PyTorch's `scaled_dot_product_attention`.
  ///
  /// - Parameters:
  ///   - keys: `[N, S, C]`.
  ///   - values: `[N, S, C]`.
  ///   - heads: into how many the channels are divided, d = C / heads each.
  /// - Returns: `[N, T, C]`, where self is `[N, T, C]`.
  /// - Precondition: `heads` divides C, and the shapes agree.
  public func attention(keys: Tensor, values: Tensor, heads: Int = 1) -> Tensor {
    precondition(
      shape.rank == 3 && keys.shape == values.shape && keys.shape.rank == 3
        && keys.shape[0] == shape[0] && keys.shape[2] == shape[2],
      "queries \(shape), keys \(keys.shape), values \(values.shape)")
    precondition(shape[2] % heads == 0, "\(shape[2]) channels in \(heads) heads")
    let result = attending(keys, values, heads: heads)
    guard GradientRecording.isOn(node, keys.node, values.node) else { return result }
    let (queries, allKeys, allValues) = (detached(), keys.detached(), values.detached())
    return result.recorded([node, keys.node, values.node]) { gradient, _ in
      queries.attentionGradients(allKeys, allValues, heads: heads, gradient)
    }
  }
}
