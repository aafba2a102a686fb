import CKernels

extension Tensor {
  func normalizingGroups(
    _ groups: Int, _ weight: Tensor, _ bias: Tensor, _ epsilon: Float, _ activation: Activation
  ) -> Tensor {
    let channels = shape[-1]
    let pixels = shape.scalarCount / shape[0] / channels
    let result = Storage(count: shape.scalarCount)
    ThreadPool.current.run(count: shape[0]) { image, _ in
      let start = image * pixels * channels
      unsafe lvae_reference_group_norm(
        storage.base + start, pixels, channels, groups, epsilon, weight.storage.base,
        bias.storage.base, activation.kernel, result.base + start)
    }
    return Tensor(shape: shape, storage: result)
  }
}
