public import Tensors

/// Finite scalar quantisation: each channel is bounded and rounded to one of a few levels.
///
/// Mentzer et al. 2023, "Finite scalar quantization: VQ-VAE made simple", arXiv:2309.15505. Channel i
/// with L levels becomes round(½(L − 1)(1 + ε)·tanh(z + s) − o), where o is ½ for even L and 0 for
/// odd, and s lets z = 0 be 0; divided by ⌊L/2⌋ it lies in −1…1. Rounding has the derivative 1. The
/// paper's listing has 1 − ε and a tangent for s; with 1 + ε two levels work too, and the inverse of
/// tanh is exact. There is nothing to learn.
public struct FiniteScalarQuantizer: Sendable {
  /// L of each channel.
  public let levels: [Int]
  private let halves, offsets, shifts: [Float]

  /// A quantiser.
  ///
  /// - Parameter levels: L of each channel.
  /// - Precondition: each is at least 2.
  public init(levels: [Int]) {
    precondition(levels.allSatisfy { $0 >= 2 }, "channels of \(levels) levels")
    self.levels = levels
    halves = levels.map { Float($0 - 1) * 1.001 / 2 }
    offsets = levels.map { $0 % 2 == 0 ? 0.5 : 0 }
    shifts = zip(offsets, halves).map { offset, half in
      let ratio = Double(offset / half)
      return Float(ElementaryFunctions.logarithm((1 + ratio) / (1 - ratio)) / 2)
    }
  }

  /// The number of codes: the product of the levels.
  public var codeCount: Int { levels.reduce(1, *) }

  /// The levels nearest to each number.
  ///
  /// - Parameter x: z, `[N, h, w, C]`.
  /// - Returns: latents of the same shape in −1…1, and the codes.
  /// - Precondition: there is a number of levels for each channel.
  public func callAsFunction(_ x: Tensor) -> BottleneckOutput {
    precondition(x.shape[-1] == levels.count, "\(x.shape) for \(levels.count) channels with levels")
    let bounded = x.affineChannels { (1, shifts[$0]) }.tanh()
      .affineChannels { (halves[$0], -offsets[$0]) }
    let rounded = bounded.scalars.map { $0.rounded(.toNearestOrEven) }
    let steps = Tensor(rounded, shape: x.shape).straightThrough(to: bounded)
    let latents = steps.affineChannels { (1 / Float(levels[$0] / 2), 0) }
    let quantization = Quantization(
      indices: indices(ofSteps: rounded), codeCount: codeCount, commitmentLoss: nil,
      codebookLoss: nil, inputs: nil)
    return BottleneckOutput(quantization, latents: latents)
  }

  /// The latents of codes.
  ///
  /// - Parameters:
  ///   - indices: a code for each position.
  ///   - shape: `[N, h, w, C]`.
  /// - Returns: latents of this shape.
  public func latents(of indices: [Int], shape: Shape) -> Tensor {
    let numbers = indices.flatMap { index in
      var rest = index
      return levels.map { count -> Float in
        defer { rest /= count }
        return Float(rest % count - count / 2) / Float(count / 2)
      }
    }
    return Tensor(numbers, shape: shape)
  }

  /// Codes: the levels, counted from 0, as digits, the first channel lowest.
  private func indices(ofSteps steps: [Float]) -> [Int] {
    stride(from: 0, to: steps.count, by: levels.count).map { start in
      levels.indices.reversed().reduce(0) { index, channel in
        index * levels[channel] + Int(steps[start + channel]) + levels[channel] / 2
      }
    }
  }
}
