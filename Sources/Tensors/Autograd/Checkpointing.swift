/// Calls `body` without keeping what its gradient needs: it is called again when the gradient is
/// computed, which saves memory and costs time.
///
/// The result and all gradients are those of a plain call, bit for bit. Chen et al. 2016,
/// arXiv:1604.06174; as PyTorch's `checkpoint`.
///
/// - Parameter body: must compute the same each time. It may use any recorded tensors.
/// - Returns: what `body` returns.
public func checkpointed(_ body: @escaping @Sendable () -> Tensor) -> Tensor {
  // Within another such call the outer one repeats this.
  if GradientRecording.pause != nil { return body() }
  let pause = GradientRecording.Pause()
  let result = GradientRecording.$pause.withValue(pause, operation: body)
  let nodes = pause.nodes
  guard !nodes.isEmpty else { return result }
  return result.recorded(nodes) { gradient, isNeeded in
    // The way back ends at the nodes: what lies before them isn't this step's.
    let targets = zip(nodes, isNeeded).filter(\.1).map(\.0)
    let repeated = GradientRecording.$pause.withValue(nil, operation: body)
    var found = repeated.backpropagating(
      gradient, to: targets, keepingRecording: false, boundary: nodes
    ).makeIterator()
    return isNeeded.map { $0 ? found.next() ?? nil : nil }
  }
}
