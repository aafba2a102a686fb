public import Tensors

/// The largest difference between the gradients of a function and central differences, as a fraction
/// of the largest gradient of each input.
///
/// The function's result is multiplied with fixed numbers and summed in double precision, so that
/// every number of it counts. At most 40 numbers of each input are varied.
///
/// - Parameters:
///   - inputs: where the gradients are taken, numbers about 1.
///   - step: how far numbers are varied; 1/64 leaves errors of about 1e-4 of either kind.
///   - function: what is tested.
/// - Returns: the error; infinite if a gradient has another shape than its input.
public func gradientError(
  at inputs: [Tensor], step: Float = 0x1p-6, of function: ([Tensor]) -> Tensor
) -> Float {
  let tracked = inputs.map { $0.tracked() }
  let result = function(tracked)
  let weights = sampleTensor(result.shape, seed: 77)
  let found = gradients(of: (result * weights).sum(), withRespectTo: tracked)
  var worst: Float = 0
  for (index, input) in inputs.enumerated() {
    guard found[index].shape == input.shape else { return .infinity }
    let (values, derivatives) = (input.scalars, found[index].scalars)
    let places = Swift.stride(from: 0, to: values.count, by: max(1, values.count / 40))
    let expected = places.map { place in
      let losses = [step, -step].map { step in
        var varied = inputs
        var changed = values
        changed[place] += step
        varied[index] = Tensor(changed, shape: input.shape)
        return weightedSum(function(varied), weights)
      }
      return Float((losses[0] - losses[1]) / Double(2 * step))
    }
    worst = max(worst, relativeError(places.map { derivatives[$0] }, expected))
  }
  return worst
}

private func weightedSum(_ tensor: Tensor, _ weights: Tensor) -> Double {
  zip(tensor.scalars, weights.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
