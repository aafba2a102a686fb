/// `objective`: what training makes small, a weighted sum of terms.
///
/// L = reconstruction_weight·R + ssim_weight·(1 − SSIM) + ms_ssim_weight·(1 − MS-SSIM)
///   + β·|KL − C| + perceptual_weight·P + adversarial_weight·λ·A, and the terms of the bottleneck.
///
/// Pictures x and their reconstructions y are in −1…1; R and KL are divided by the number of a
/// picture's samples, height · width · 3, so that weights mean the same at any size. ``Objective``
/// computes it.
public struct ObjectiveSettings: Hashable, Sendable {
  /// How pictures and reconstructions are compared; d = y − x.
  public enum Reconstruction: String, CaseIterable, Hashable, Sendable {
    /// `mse`: mean d².
    case mse
    /// `gaussian`: mean ½(d²/σ² + ln σ²) + ½ ln 2π with one σ for all samples, which with β = 1 makes
    /// the loss the negative evidence bound in nats a sample; Rybkin et al. 2021, "σ-VAE",
    /// arXiv:2006.13202.
    case gaussian
    /// `l1`: mean |d|.
    case l1
    /// `laplace`: mean |d|/b + ln 2b with one b for all samples: the same for Laplace's distribution.
    case laplace
    /// `huber`: mean of ½d²/δ where |d| < δ, else |d| − ½δ (PyTorch's `smooth_l1_loss`).
    case huber

    /// Whether it is the logarithm of a density, with a scale.
    public var isLikelihood: Bool { self == .gaussian || self == .laplace }
  }

  /// How the divergence from the standard normal distribution is computed.
  public enum KLEstimate: String, CaseIterable, Hashable, Sendable {
    /// `closed`: by its formula.
    case closed
    /// `monte_carlo`: ln q(z|x) − ln p(z) of the sample that is decoded; the same in the mean.
    case monteCarlo = "monte_carlo"
  }

  /// How β rises.
  public enum WarmUp: String, CaseIterable, Hashable, Sendable {
    /// `none`: it is the same from the start.
    case none
    /// `linear`: from 0 in a line over `kl_warm_up_steps`; Bowman et al. 2016, arXiv:1511.06349.
    case linear
    /// `cyclical`: again and again, each `kl_warm_up_steps`: half of them in a line from 0, half at
    /// β; Fu et al. 2019, arXiv:1903.10145.
    case cyclical
  }

  /// `reconstruction`: how pictures and reconstructions are compared.
  public var reconstruction = Reconstruction.l1
  /// `reconstruction_weight`: how much it counts.
  public var reconstructionWeight = 1.0
  /// `huber_delta`: δ of `huber`, in −1…1.
  public var huberDelta = 0.1
  /// `likelihood_scale`: σ of `gaussian` or b of `laplace`, in −1…1; where it is learned, the first.
  public var likelihoodScale = 0.25
  /// `learn_likelihood_scale`: whether that scale is learned with the model.
  public var learnsLikelihoodScale = true
  /// `ssim_weight`: how much 1 − SSIM counts.
  ///
  /// Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".
  public var ssimWeight = 0.0
  /// `ms_ssim_weight`: how much 1 − MS-SSIM counts.
  ///
  /// Wang et al. 2003, "Multi-scale structural similarity for image quality assessment". Squares
  /// need more than 160 pixels a side.
  public var msSSIMWeight = 0.0
  /// `kl_weight`: β, how much the divergence from the standard normal distribution counts.
  ///
  /// KL = Σ ½(μ² + σ² − 1 − ln σ²) over a picture's latent, in nats, divided by the picture's
  /// samples. Higgins et al. 2017, "β-VAE".
  public var klWeight = 1e-6
  /// `kl_estimate`: how that divergence is computed.
  public var klEstimate = KLEstimate.closed
  /// `kl_capacity`: C, where KL is drawn to, in nats a sample; 0 for the plain term.
  ///
  /// Burgess et al. 2018, arXiv:1804.03599, equation 8.
  public var klCapacity = 0.0
  /// `kl_capacity_steps`: over how many steps C rises from 0 in a line; 0 for C from the start.
  public var klCapacitySteps = 0
  /// `kl_warm_up`: how β rises.
  public var klWarmUp = WarmUp.none
  /// `kl_warm_up_steps`: over how many steps.
  public var klWarmUpSteps = 0
  /// `free_bits`: what each latent channel may cost for nothing, in bits a position.
  ///
  /// Its KL counts as at least that; Kingma et al. 2016, arXiv:1606.04934, appendix C.8.
  public var freeBits = 0.0
  /// `perceptual_weight`: how much the distance in a network's features counts.
  ///
  /// Zhang et al. 2018, "LPIPS", arXiv:1801.03924.
  public var perceptualWeight = 0.0
  /// `perceptual_network`: the path of that network's weights.
  public var perceptualNetwork = ""
  /// `adversarial_weight`: how much a discriminator's judgement counts.
  ///
  /// Esser et al. 2021, "VQGAN", arXiv:2012.09841.
  public var adversarialWeight = 0.0
  /// `adversarial_start`: the step from which on it counts.
  public var adversarialStart = 0
  /// `adversarial_adapts`: whether λ balances its gradient with that of the other terms; else λ = 1.
  ///
  /// λ = ‖∇(R + …)‖ / (‖∇A‖ + 10⁻⁴) at the decoder's last layer, at most 10⁴; equation 7 of VQGAN.
  public var adversarialAdapts = true
  /// `discriminator_channels`: how many channels the discriminator's first layer has.
  public var discriminatorChannels = 64
  /// `discriminator_layers`: how often it halves the picture.
  ///
  /// With 3, a judgement is about 70 × 70 pixels; Isola et al. 2016, arXiv:1611.07004.
  public var discriminatorLayers = 3
  /// `discriminator_learning_rate`: the learning rate of its own optimiser.
  public var discriminatorLearningRate = 1e-4

  /// The defaults.
  public init() {}

  /// β at a step, counted from 0.
  public func klWeight(atStep step: Int) -> Double {
    guard klWarmUp != .none, klWarmUpSteps > 0 else { return klWeight }
    if klWarmUp == .linear { return klWeight * min(1, Double(step) / Double(klWarmUpSteps)) }
    let progress = Double(step % klWarmUpSteps) / Double(klWarmUpSteps)
    return klWeight * min(1, 2 * progress)
  }

  /// The terms that need pictures of some size: the setting's path, whether it counts, and the
  /// shortest side.
  var leastSides: [(path: String, isWanted: Bool, side: Int)] {
    [
      ("objective.ssim_weight", ssimWeight > 0, StructuralSimilarityLoss.leastSide),
      (
        "objective.ms_ssim_weight", msSSIMWeight > 0, StructuralSimilarityLoss.leastSideOverScales
      ),
      ("objective.perceptual_weight", perceptualWeight > 0, VGG16Features.leastSide),
      ("objective.adversarial_weight", adversarialWeight > 0, 3 << discriminatorLayers),
    ]
  }

  /// C at a step, counted from 0.
  public func klCapacity(atStep step: Int) -> Double {
    klCapacitySteps > 0 ? klCapacity * min(1, Double(step) / Double(klCapacitySteps)) : klCapacity
  }
}

extension ObjectiveSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.choice("reconstruction", &reconstruction)
    try fields.number("reconstruction_weight", &reconstructionWeight, .atLeast(0))
    try fields.number("huber_delta", &huberDelta, .above(0))
    try fields.number("likelihood_scale", &likelihoodScale, .above(0))
    try fields.boolean("learn_likelihood_scale", &learnsLikelihoodScale)
    try fields.number("ssim_weight", &ssimWeight, .atLeast(0))
    try fields.number("ms_ssim_weight", &msSSIMWeight, .atLeast(0))
    try fields.number("kl_weight", &klWeight, .atLeast(0))
    try fields.choice("kl_estimate", &klEstimate)
    try fields.number("kl_capacity", &klCapacity, .atLeast(0))
    try fields.integer("kl_capacity_steps", &klCapacitySteps, in: 0...Int.max)
    try fields.choice("kl_warm_up", &klWarmUp)
    try fields.integer("kl_warm_up_steps", &klWarmUpSteps, in: 0...Int.max)
    try fields.number("free_bits", &freeBits, .atLeast(0))
    try fields.number("perceptual_weight", &perceptualWeight, .atLeast(0))
    try fields.string("perceptual_network", &perceptualNetwork)
    try fields.number("adversarial_weight", &adversarialWeight, .atLeast(0))
    try fields.integer("adversarial_start", &adversarialStart, in: 0...Int.max)
    try fields.boolean("adversarial_adapts", &adversarialAdapts)
    try fields.integer("discriminator_channels", &discriminatorChannels, in: 1...1024)
    try fields.integer("discriminator_layers", &discriminatorLayers, in: 1...6)
    try fields.number("discriminator_learning_rate", &discriminatorLearningRate, .atLeast(0))
    try fields.refuse(
      "perceptual_network", if: perceptualWeight > 0 && perceptualNetwork.isEmpty,
      "perceptual_weight is above 0: give the path of the network's weights")
    try fields.refuse(
      "kl_warm_up_steps", if: klWarmUp != .none && klWarmUpSteps == 0,
      "kl_warm_up is \(klWarmUp.rawValue): say over how many steps")
  }
}
