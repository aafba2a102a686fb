/// `objective`: what training makes small, a weighted sum of terms.
///
/// L = reconstruction_weight·R + ssim_weight·(1 − SSIM) + ms_ssim_weight·(1 − MS-SSIM)
///   + β·|KL − C| + perceptual_weight·P + adversarial_weight·A.
///
/// Pictures x and their reconstructions y are in −1…1; R and KL are divided by the number of a
/// picture's samples, height · width · 3, so that weights mean the same at any size.
public struct ObjectiveSettings: Hashable, Sendable {
  /// How pictures and reconstructions are compared; d = y − x.
  public enum Reconstruction: String, CaseIterable, Hashable, Sendable {
    /// `mse`: mean d².
    case mse
    /// `gaussian`: mean ½(d²/σ² + ln σ²) + ½ ln 2π with one learned σ, which with β = 1 makes the
    /// loss the negative evidence bound in nats a sample; Rybkin et al. 2021, "σ-VAE",
    /// arXiv:2006.13202.
    case gaussian
    /// `l1`: mean |d|.
    case l1
    /// `huber`: mean of ½d²/δ where |d| < δ, else |d| − ½δ (PyTorch's `smooth_l1_loss`).
    case huber
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
  /// `kl_capacity`: C, where KL is drawn to, in nats a sample; 0 for the plain term.
  ///
  /// Burgess et al. 2018, arXiv:1804.03599, equation 8.
  public var klCapacity = 0.0
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

  /// The defaults.
  public init() {}

  /// β at a step, counted from 0.
  public func klWeight(atStep step: Int) -> Double {
    guard klWarmUp != .none, klWarmUpSteps > 0 else { return klWeight }
    if klWarmUp == .linear { return klWeight * min(1, Double(step) / Double(klWarmUpSteps)) }
    let progress = Double(step % klWarmUpSteps) / Double(klWarmUpSteps)
    return klWeight * min(1, 2 * progress)
  }
}

extension ObjectiveSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.choice("reconstruction", &reconstruction)
    try fields.number("reconstruction_weight", &reconstructionWeight, .atLeast(0))
    try fields.number("huber_delta", &huberDelta, .above(0))
    try fields.number("ssim_weight", &ssimWeight, .atLeast(0))
    try fields.number("ms_ssim_weight", &msSSIMWeight, .atLeast(0))
    try fields.number("kl_weight", &klWeight, .atLeast(0))
    try fields.number("kl_capacity", &klCapacity, .atLeast(0))
    try fields.choice("kl_warm_up", &klWarmUp)
    try fields.integer("kl_warm_up_steps", &klWarmUpSteps, in: 0...Int.max)
    try fields.number("free_bits", &freeBits, .atLeast(0))
    try fields.number("perceptual_weight", &perceptualWeight, .atLeast(0))
    try fields.string("perceptual_network", &perceptualNetwork)
    try fields.number("adversarial_weight", &adversarialWeight, .atLeast(0))
    try fields.integer("adversarial_start", &adversarialStart, in: 0...Int.max)
    try fields.refuse(
      "perceptual_network", if: perceptualWeight > 0 && perceptualNetwork.isEmpty,
      "perceptual_weight is above 0: give the path of the network's weights")
    try fields.refuse(
      "kl_warm_up_steps", if: klWarmUp != .none && klWarmUpSteps == 0,
      "kl_warm_up is \(klWarmUp.rawValue): say over how many steps")
  }
}
