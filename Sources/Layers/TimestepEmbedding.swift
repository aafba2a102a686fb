import Foundation
public import Tensors

/// Timesteps as vectors of sines and cosines, of frequencies that fall from 1 to about 1/10,000.
///
/// As diffusers' `Timesteps`; Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
public struct Timesteps: Hashable, Sendable {
  /// C, the length of a vector.
  public let channels: Int
  /// Whether the cosines stand before the sines.
  public let flipsSineToCosine: Bool
  /// What is taken from C / 2 in the frequencies 10000^(−i / (C / 2 − shift)).
  public let frequencyShift: Float

  /// Vectors of this kind.
  ///
  /// - Precondition: C / 2 exceeds the shift.
  public init(channels: Int, flipsSineToCosine: Bool, frequencyShift: Float) {
    precondition(Float(channels / 2) > frequencyShift, "\(channels) channels")
    self.channels = channels
    self.flipsSineToCosine = flipsSineToCosine
    self.frequencyShift = frequencyShift
  }

  /// The vectors of timesteps, which need not be whole: `[N, C]`.
  ///
  /// Frequencies and angles are rounded to single precision, as they were when models were trained.
  public func callAsFunction(_ timesteps: [Float]) -> Tensor {
    let half = channels / 2
    let frequencies = (0..<half).map { index in
      let exponent = -Float(log(10000.0)) * Float(index) / (Float(half) - frequencyShift)
      return Float(exp(Double(exponent)))
    }
    var scalars: [Float] = []
    scalars.reserveCapacity(timesteps.count * channels)
    for timestep in timesteps {
      let angles = frequencies.map { Double(timestep * $0) }
      let (sines, cosines) = (angles.map { Float(sin($0)) }, angles.map { Float(cos($0)) })
      scalars += flipsSineToCosine ? cosines + sines : sines + cosines
      scalars += repeatElement(0, count: channels - 2 * half)
    }
    return Tensor(scalars, shape: [timesteps.count, channels])
  }
}

/// Two matrix products with SiLU between them, as diffusers' `TimestepEmbedding`.
public struct TimestepEmbedding: Layer {
  /// To the embedding's channels.
  public var linear1: Linear
  /// Between as many.
  public var linear2: Linear

  /// A layer whose parameters are zero until they are loaded or initialised.
  public init(inputChannels: Int, outputChannels: Int) {
    linear1 = Linear(inputChannels: inputChannels, outputChannels: outputChannels)
    linear2 = Linear(inputChannels: outputChannels, outputChannels: outputChannels)
  }

  /// `[N, C]` → `[N, T]`.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    linear2(linear1(x).activated(.silu))
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try linear1.visitParameters(at: path / "linear_1", with: &visitor)
    try linear2.visitParameters(at: path / "linear_2", with: &visitor)
  }
}

/// A table of vectors, as PyTorch's `Embedding`.
public struct Embedding: ParameterContainer {
  /// `[R, C]`.
  public var weight: Tensor

  /// A table that is zero until it is loaded or initialised.
  public init(rows: Int, channels: Int) {
    weight = Tensor(zeros: [rows, channels])
  }

  /// The rows with these indices: `[N, C]`.
  ///
  /// - Precondition: the indices lie in 0..<R.
  public func callAsFunction(_ indices: [Int]) -> Tensor {
    weight.rows(indices)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try visitor.visit(&weight, at: path / "weight", layout: .unchanged)
  }
}
