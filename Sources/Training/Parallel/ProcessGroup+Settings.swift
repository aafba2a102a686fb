extension ProcessGroup {
  /// Checks that the processes can follow settings as one would.
  ///
  /// - Throws: ``ProcessGroupError/unevenBatch(size:count:)``, and
  ///   ``ProcessGroupError/unsupported(setting:)`` for terms that aren't means over examples: their
  ///   gradients' mean isn't the gradient.
  func check(_ settings: TrainingSettings) throws(ProcessGroupError) {
    guard count > 1 else { return }
    try checkBatch(of: settings.data.batchSize)
    let objective = settings.objective
    let terms = [
      ("objective.adversarial_weight", objective.adversarialWeight > 0),
      ("objective.kl_capacity", objective.klCapacity > 0),
      ("objective.free_bits", objective.freeBits > 0),
      ("bottleneck.kind vq", settings.bottleneck.kind == .vq),
    ]
    if let term = terms.first(where: \.1) { throw .unsupported(setting: term.0) }
  }

  /// Checks that the processes can share a batch evenly.
  ///
  /// - Throws: ``ProcessGroupError/unevenBatch(size:count:)``.
  func checkBatch(of size: Int) throws(ProcessGroupError) {
    guard size % count == 0 else { throw .unevenBatch(size: size, count: count) }
  }
}
