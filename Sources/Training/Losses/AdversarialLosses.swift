public import Layers
public import Tensors

/// The losses of a discriminator and of what it judges, with hinges.
///
/// Lim and Ye 2017, "Geometric GAN", arXiv:1705.02894; as VQGAN has them (Esser et al. 2020,
/// arXiv:2012.09841).
public enum AdversarialLosses {
  /// What the discriminator makes small: ½·mean(max(0, 1 − D(x))) + ½·mean(max(0, 1 + D(y))).
  ///
  /// - Parameters:
  ///   - real: D(x), judgements of pictures.
  ///   - fake: D(y), judgements of reconstructions, which had better be detached.
  /// - Returns: a scalar; 1 where the discriminator says 0 to everything.
  public static func discriminator(real: Tensor, fake: Tensor) -> Tensor {
    let first = real.affine(scale: -1, offset: 1).activated(.relu).mean()
    return (first + (fake + 1).activated(.relu).mean()) * 0.5
  }

  /// What the autoencoder makes small: −mean D(y).
  public static func generator(fake: Tensor) -> Tensor { -fake.mean() }

  /// λ = ‖∇R‖ / (‖∇A‖ + 10⁻⁴) with respect to a layer's weight, at most 10⁴: by it both losses move
  /// the layer alike.
  ///
  /// VQGAN, equation 7, and the constants of its code.
  ///
  /// - Parameters:
  ///   - reconstruction: R, a recorded scalar: all terms that compare pictures.
  ///   - adversarial: A, a recorded scalar.
  ///   - weight: of the decoder's last layer, tracked.
  /// - Returns: λ in 0…10⁴. Both recordings can still be used.
  public static func adaptiveWeight(
    reconstruction: Tensor, adversarial: Tensor, withRespectTo weight: Tensor
  ) -> Double {
    let norms = [reconstruction, adversarial].map { loss in
      gradients(of: loss, withRespectTo: [weight], keepingRecording: true)[0]
        .sumOfSquares.squareRoot()
    }
    return min(max(norms[0] / (norms[1] + 1e-4), 0), 1e4)
  }
}

/// What judges reconstructions while an autoencoder is trained.
public struct Adversary: Sendable {
  /// D, whose parameters are constants here.
  public let discriminator: PatchDiscriminator
  /// The weight of the autoencoder's last convolution, tracked where λ is wanted.
  public let lastLayer: Tensor?

  /// The adversary of a model that is being differentiated.
  ///
  /// - Parameters:
  ///   - discriminator: D.
  ///   - model: the autoencoder as the loss's function is given it, tracked.
  public init(discriminator: PatchDiscriminator, judging model: some ParameterContainer) {
    var finder = LastConvolution()
    var model = model
    // This visitor throws nothing.
    try? model.visitParameters(at: .root, with: &finder)
    self.discriminator = discriminator
    lastLayer = finder.weight
  }
}

/// Remembers the last convolution's weight that a model shows, which is the decoder's last.
private struct LastConvolution: ParameterVisitor {
  var weight: Tensor?

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    if parameter.shape.rank == 4 { weight = parameter }
  }
}
