public import Tensors

/// How badly a classifier's numbers fit the classes of pictures.
public enum ClassificationLosses {
  /// The mean of −ln softmax(x)ₖ, where k is the class: PyTorch's `cross_entropy`.
  ///
  /// Computed as ln Σ exp(xⱼ − m) − (xₖ − m) with m the greatest xⱼ, so that nothing overflows.
  ///
  /// - Parameters:
  ///   - logits: x, `[N, K]`.
  ///   - labels: the class of each of the N, in 0..<K.
  /// - Returns: a scalar, in nats; ln K where all numbers are equal.
  /// - Precondition: there is a class for each row, and none is out of range.
  public static func crossEntropy(_ logits: Tensor, labels: [Int]) -> Tensor {
    let (count, classCount) = (logits.shape[0], logits.shape[1])
    precondition(
      labels.count == count && labels.allSatisfy { (0..<classCount).contains($0) },
      "labels \(labels) for \(logits.shape)")
    let numbers = logits.scalars
    var greatest: [Float] = []
    var chosen = [Float](repeating: 0, count: numbers.count)
    for (row, label) in labels.enumerated() {
      let start = row * classCount
      let most = numbers[start..<start + classCount].max() ?? 0
      greatest += [Float](repeating: most, count: classCount)
      chosen[start + label] = 1
    }
    // What is subtracted cancels, so it may count as a constant.
    let shifted = logits - Tensor(greatest, shape: logits.shape)
    let normalizers = shifted.exp().sum(over: 1..<2).log()
    let picked = shifted * Tensor(chosen, shape: logits.shape)
    return (normalizers.sum() - picked.sum()) / Float(max(1, count))
  }
}
