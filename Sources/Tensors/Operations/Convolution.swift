extension Tensor {
  /// The convolution (cross-correlation, as in PyTorch) of `[N, H, W, Ci]` with a kernel.
  ///
  /// The result is `activation(conv(x) + bias + residual)`, `[N, H', W', Co]` with
  /// H' = (H + top + bottom − kh) / stride + 1, rounded down.
  ///
  /// - Parameters:
  ///   - weight: `[kh, kw, Ci, Co]`.
  ///   - bias: `[Co]`.
  ///   - stride: the step between output pixels, along both axes.
  ///   - padding: the zeros around the picture.
  ///   - upsampling: whether the picture is first enlarged ×2 (nearest neighbour), which costs no
  ///     memory here.
  ///   - normalization: if given, the tensor is normalised first, without a copy of it as a whole.
  ///   - residual: added to the result, of its shape; if nobody else holds it, the result takes its
  ///     memory.
  ///   - activation: applied last.
  /// - Returns: `[N, H', W', Co]`. Where nobody else holds the tensor and the convolution is 1×1 to
  ///   fewer channels, the result may take its memory.
  /// - Precondition: the channels agree and the kernel fits into the padded picture.
  public consuming func conv2d(
    _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1,
    padding: ConvolutionPadding = ConvolutionPadding(0), upsampling: Bool = false,
    normalization: GroupNormalization? = nil, residual: consuming Tensor? = nil,
    activation: Activation = .identity
  ) -> Tensor {
    let geometry = ConvolutionGeometry(
      input: shape, weight: weight.shape, stride: stride, padding: padding, upsampling: upsampling)
    precondition(
      bias.map { $0.shape == [weight.shape[3]] } ?? true, "a bias for \(weight.shape[3]) channels")
    let epilogue = ConvolutionEpilogue(bias, residual, activation)
    precondition(
      epilogue.residual.map { $0.shape == geometry.outputShape } ?? true,
      "a residual of \(geometry.outputShape)")
    let nodes =
      [node, weight.node, bias?.node, epilogue.residual?.node] + (normalization?.nodes ?? [])
    if GradientRecording.isOn(nodes) {
      return convolvingRecorded(geometry, weight, epilogue, normalization, nodes)
    }
    if let normalization {
      return convolving(
        geometry, weight, epilogue, after: normalization, groupStatistics(normalization))
    }
    return convolvingInPlace(geometry, weight, epilogue)
      ?? convolving(geometry, weight, epilogue)
  }

  /// Holds, for the gradient, the tensor before it is normalised, and the result if ReLU follows.
  private consuming func convolvingRecorded(
    _ geometry: ConvolutionGeometry, _ weight: Tensor, _ epilogue: consuming ConvolutionEpilogue,
    _ normalization: GroupNormalization?, _ nodes: [GradientNode?]
  ) -> Tensor {
    let activation = epilogue.activation
    let (x, constantWeight) = (detached(), weight.detached())
    let constantNorm = normalization?.detached()
    let statistics = constantNorm.map { x.groupStatistics($0) }
    // Where the kernels don't apply the activation, it is a step of its own.
    let fused: Activation = activation.isFused ? activation : .identity
    let plain = ConvolutionEpilogue(epilogue.bias, epilogue.residual.take(), fused)
    let result =
      if let constantNorm, let statistics {
        x.convolving(geometry, constantWeight, plain, after: constantNorm, statistics)
      } else {
        x.convolving(geometry, constantWeight, plain)
      }
    let y = fused == .relu ? result.detached() : nil
    let recorded = result.recorded(nodes) { gradient, isNeeded in
      var gradient = gradient
      if let y { gradient = (consume gradient).gradient(before: .relu, of: y) }
      var results: [Tensor?] = [nil, nil, isNeeded[2] ? gradient.channelSums() : nil]
      if isNeeded[1] {
        let input = constantNorm.flatMap { norm in
          statistics.map { x.normalizingGroups(norm, $0) }
        }
        results[1] = geometry.weightGradient(input ?? x, gradient)
      }
      results.append(isNeeded[3] ? gradient : nil)
      let isNeededBefore = [isNeeded[0]] + isNeeded[4...]
      guard isNeededBefore.contains(true) else { return results }
      let before = geometry.inputGradient(gradient, constantWeight)
      guard let constantNorm, let statistics else {
        results[0] = before
        return results
      }
      _ = consume gradient
      let gradients = x.groupNormGradients(
        before, constantNorm, statistics, isNeeded: isNeededBefore)
      results[0] = gradients[0]
      return results + gradients[1...]
    }
    return activation == fused ? recorded : recorded.activated(activation)
  }

  /// The transposed convolution of `[N, H, W, Ci]` with a kernel, as PyTorch's `ConvTranspose2d`.
  ///
  /// The result is `[N, H', W', Co]` with H' = (H − 1)·stride − 2·padding + kh.
  ///
  /// - Parameters:
  ///   - weight: `[kh, kw, Ci, Co]`.
  ///   - bias: `[Co]`.
  ///   - stride: how far apart neighbours of the input come to lie in the output.
  ///   - padding: how many rows and columns are cut from each side of the result.
  /// - Returns: `[N, H', W', Co]`.
  /// - Precondition: the channels agree, and the result isn't empty.
  public func convTranspose2d(
    _ weight: Tensor, bias: Tensor? = nil, stride: Int, padding: Int
  ) -> Tensor {
    precondition(shape.rank == 4 && weight.shape.rank == 4, "\(shape) with \(weight.shape)")
    precondition(shape[3] == weight.shape[2], "\(shape[3]) channels for \(weight.shape)")
    let height = (shape[1] - 1) * stride - 2 * padding + weight.shape[0]
    let width = (shape[2] - 1) * stride - 2 * padding + weight.shape[1]
    precondition(height > 0 && width > 0, "\(shape) gives nothing with \(weight.shape)")
    let result = convolvingTransposed(
      weight, ConvolutionEpilogue(bias, nil, .identity), stride: stride, padding: padding,
      outputShape: [shape[0], height, width, weight.shape[3]])
    guard GradientRecording.isOn(node, weight.node, bias?.node) else { return result }
    // It is the gradient of a convolution of the result, whose kernel has the channels exchanged.
    let (x, exchanged) = (detached(), weight.detached().transposed())
    let geometry = ConvolutionGeometry(
      input: result.shape, weight: exchanged.shape, stride: stride,
      padding: ConvolutionPadding(padding), upsampling: false)
    return result.recorded([node, weight.node, bias?.node]) { gradient, isNeeded in
      [
        isNeeded[0]
          ? gradient.convolving(geometry, exchanged, ConvolutionEpilogue(nil, nil, .identity))
          : nil,
        isNeeded[1] ? geometry.weightGradient(gradient, x).transposed() : nil,
        isNeeded[2] ? gradient.channelSums() : nil,
      ]
    }
  }

  /// The matrix product x·W + bias over the last axis: `[…, Ci]` → `[…, Co]`.
  ///
  /// - Parameters:
  ///   - weight: `[Ci, Co]`.
  ///   - bias: `[Co]`.
  ///   - residual: added to the result, of its shape.
  /// - Returns: `[…, Co]`.
  public func linear(
    _ weight: Tensor, bias: Tensor? = nil, residual: consuming Tensor? = nil
  ) -> Tensor {
    let (inputs, outputs) = (weight.shape[0], weight.shape[1])
    let rows = shape.scalarCount / max(inputs, 1)
    let result = reshaped(to: [1, rows, 1, inputs]).conv2d(
      weight.reshaped(to: [1, 1, inputs, outputs]), bias: bias,
      residual: residual?.reshaped(to: [1, rows, 1, outputs]))
    return result.reshaped(to: Shape(shape.dimensions.dropLast() + [outputs]))
  }
}

extension Tensor {
  /// The product of matrices: `[…, K]` and `[K, M]` → `[…, M]`.
  ///
  /// - Precondition: the extents agree.
  public func matrixProduct(_ other: Tensor) -> Tensor {
    precondition(
      shape.rank >= 1 && other.shape.rank == 2 && shape[-1] == other.shape[0],
      "\(shape) times \(other.shape)")
    return linear(other)
  }
}

/// The sizes of one convolution.
package struct ConvolutionGeometry: Hashable {
  let input, weight: Shape
  let stride: Int
  let padding: ConvolutionPadding
  let upsampling: Bool

  package init(
    input: Shape, weight: Shape, stride: Int, padding: ConvolutionPadding, upsampling: Bool
  ) {
    precondition(input.rank == 4 && weight.rank == 4, "\(input) with \(weight)")
    precondition(input[3] == weight[2], "\(input) has not the channels of the kernel \(weight)")
    self.input = input
    self.weight = weight
    self.stride = stride
    self.padding = padding
    self.upsampling = upsampling
    precondition(
      outputHeight > 0 && outputWidth > 0, "\(input) is smaller than the kernel \(weight)")
  }

  private var scale: Int { upsampling ? 2 : 1 }

  var outputHeight: Int {
    let free = input[1] * scale + padding.top + padding.bottom - weight[0]
    return free < 0 ? 0 : free / stride + 1
  }

  var outputWidth: Int {
    let free = input[2] * scale + padding.left + padding.right - weight[1]
    return free < 0 ? 0 : free / stride + 1
  }

  var outputShape: Shape { [input[0], outputHeight, outputWidth, weight[3]] }
}

/// What follows the sum of products in a convolution.
package struct ConvolutionEpilogue {
  let bias: Tensor?
  var residual: Tensor?
  let activation: Activation

  package init(_ bias: Tensor?, _ residual: consuming Tensor?, _ activation: Activation) {
    self.bias = bias
    self.residual = residual
    self.activation = activation
  }
}
