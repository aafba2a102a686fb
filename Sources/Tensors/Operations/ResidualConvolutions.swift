/// A 3×3 convolution that keeps the picture's size, for ``Tensor/residualConvolutions(_:activation:)``.
public struct ChainedConvolution: Sendable {
  let weight: Tensor
  let bias: Tensor?

  /// A convolution with padding 1.
  ///
  /// - Parameters:
  ///   - weight: `[3, 3, Ci, Co]`.
  ///   - bias: `[Co]`.
  /// - Precondition: the kernel is 3×3.
  public init(weight: Tensor, bias: Tensor?) {
    precondition(weight.shape[0] == 3 && weight.shape[1] == 3, "a kernel of \(weight.shape)")
    self.weight = weight
    self.bias = bias
  }
}

extension Tensor {
  /// A residual block of plain convolutions: activation(x + conv(… activation(conv(x)) …)).
  ///
  /// Large pictures are taken through all convolutions in bands of rows, so that what lies between
  /// them stays in the processor's cache; and if nobody else holds the tensor, the result takes its
  /// memory. No row is computed twice.
  ///
  /// - Parameters:
  ///   - convolutions: from C channels by way of others back to C.
  ///   - activation: applied behind each convolution; behind the last, after the sum.
  /// - Returns: `[N, H, W, C]`.
  /// - Precondition: the channels agree.
  public consuming func residualConvolutions(
    _ convolutions: [ChainedConvolution], activation: Activation
  ) -> Tensor {
    let nodes = [node] + convolutions.flatMap { [$0.weight.node, $0.bias?.node] }
    if !GradientRecording.isOn(nodes),
      let chain = ConvolutionChain(convolutions, input: shape, activation)
    {
      return chain.run(consume self)
    }
    guard let last = convolutions.last else { return self }
    let input = self
    var hidden = input
    let padding = ConvolutionPadding(1)
    for convolution in convolutions.dropLast() {
      hidden = hidden.conv2d(
        convolution.weight, bias: convolution.bias, padding: padding, activation: activation)
    }
    return hidden.conv2d(
      last.weight, bias: last.bias, padding: padding, residual: input, activation: activation)
  }
}
