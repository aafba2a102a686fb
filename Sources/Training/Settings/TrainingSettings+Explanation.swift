import Tensors

extension RunConfiguration {
  /// The settings with their defaults and meanings, for `--help`.
  static func explanation(
    symbols: String, of explanations: [(path: String, meaning: String)]
  ) -> String {
    let defaults = Self().values
    var text = "SETTINGS (name, default, meaning; \(symbols))\n"
    for (path, meaning) in explanations {
      text += "\n\(path) [\(value(at: path, in: defaults))]: \(meaning)"
    }
    return text
  }

  private static func value(at path: String, in object: JSONObject) -> String {
    var value = JSONValue.object(object)
    for key in path.split(separator: ".") {
      guard case .object(let object) = value else { break }
      value = object[String(key)] ?? .null
    }
    return value.text
  }
}

extension TrainingSettings {
  /// What each setting means, with formulas and sources, and its default: for `--help`.
  public static var explanation: String {
    explanation(symbols: "x: pictures, y: reconstructions, in −1…1", of: explanations)
  }

  /// The path and the meaning of each setting, in the order of the file.
  static let explanations: [(path: String, meaning: String)] =
    [
      (
        "model",
        "a new network by its preset (photo, emoji, tiny), or a config.json as diffusers has it, with "
          + "_class_name; or one that is trained further: a model folder's path, or builtin:photo and "
          + "builtin:emoji, the program's own"
      )
    ] + bottleneckExplanations + dataExplanations + objectiveExplanations
    + optimizerExplanations + sharedRunExplanations + runExplanations

  private static let bottleneckExplanations: [(path: String, meaning: String)] = [
    (
      "bottleneck.kind",
      "kl: z = μ + σε (Kingma and Welling 2013, arXiv:1312.6114); vq: the nearest of a book of "
        + "vectors (van den Oord et al. 2017, arXiv:1711.00937); fsq: numbers rounded to levels "
        + "(Mentzer et al. 2023, arXiv:2309.15505)"
    ),
    ("bottleneck.codebook_size", "how many vectors the book of vq has"),
    ("bottleneck.commitment_weight", "β of vq in β·mean((z − sg[e])²) (arXiv:1711.00937, eq. 3)"),
    (
      "bottleneck.codebook_update",
      "how the book of vq learns. ema: by running means (arXiv:1711.00937, A.1); loss: by "
        + "mean((sg[z] − e)²) (eq. 3 there)"
    ),
    (
      "bottleneck.codebook_reset_steps",
      "after how many steps without use a vector is replaced, 0 for never (Dhariwal et al. 2020, "
        + "arXiv:2005.00341, section 3)"
    ),
    (
      "bottleneck.codebook_decay",
      "how much of vq's running means a step keeps (arXiv:1711.00937, A.1)"
    ),
    ("bottleneck.fsq_levels", "how many levels each channel of fsq has"),
  ]

  private static let dataExplanations: [(path: String, meaning: String)] = [
    ("data.crop", "the side of the squares cut from pictures, a multiple of the network's factor"),
    ("data.batch_size", "squares in a batch"),
    ("data.flips", "mirror half of the squares left to right"),
    ("data.scale", "by how much pictures are resized before squares are cut: lowest, highest"),
    (
      "data.validation_fraction",
      "the part kept for validation: pictures whose name has a CRC-32 below it · 2³²"
    ),
    ("data.enlarge_small", "enlarge pictures smaller than crop instead of refusing them"),
    ("data.unreadable_limit", "how many unreadable pictures are passed over"),
    ("data.cache_mib", "memory for decoded pictures in MiB"),
  ]

  private static let objectiveExplanations: [(path: String, meaning: String)] = [
    (
      "objective.reconstruction",
      "R, a mean over all samples, d = y − x. mse: d²; l1: |d|; huber: ½d²/δ where |d| < δ, else "
        + "|d| − ½δ; gaussian: ½(d²/σ² + ln 2πσ²) with one σ, the evidence bound in nats "
        + "a sample with kl_weight 1 (Rybkin et al. 2021, arXiv:2006.13202); laplace: |d|/b + ln 2b"
    ),
    ("objective.reconstruction_weight", "what R is multiplied with"),
    ("objective.huber_delta", "δ of huber"),
    ("objective.likelihood_scale", "σ of gaussian, b of laplace; where it is learned, the first"),
    ("objective.learn_likelihood_scale", "whether that scale is learned"),
    (
      "objective.kl_estimate",
      "closed: the formula of KL; monte_carlo: ln q(z|x) − ln p(z) of the sample that is decoded"
    ),
    ("objective.kl_capacity_steps", "over how many steps kl_capacity rises from 0"),
    (
      "objective.adversarial_adapts",
      "multiply with λ = ‖∇R‖/(‖∇A‖ + 1e-4) at the decoder's last layer (arXiv:2012.09841, eq. 7)"
    ),
    ("objective.discriminator_channels", "channels of the discriminator's first layer"),
    ("objective.discriminator_layers", "how often it halves the picture"),
    ("objective.discriminator_learning_rate", "its learning rate"),
    ("objective.ssim_weight", "weight of 1 − SSIM(x, y) (Wang et al. 2004)"),
    (
      "objective.ms_ssim_weight",
      "weight of 1 − MS-SSIM(x, y) over five scales (Wang et al. 2003); squares above 160 pixels"
    ),
    (
      "objective.kl_weight",
      "β, the weight of KL = Σ ½(μ² + σ² − 1 − ln σ²) / (height · width · 3) (Higgins et al. 2017; "
        + "1e-6 as Rombach et al. 2021, arXiv:2112.10752)"
    ),
    (
      "objective.kl_capacity",
      "C of β·|KL − C| in nats a sample; 0 for β·KL (Burgess et al. 2018, arXiv:1804.03599, eq. 8)"
    ),
    (
      "objective.kl_warm_up",
      "how β rises. none; linear: β · step / kl_warm_up_steps (Bowman et al. 2016, "
        + "arXiv:1511.06349); cyclical: rises for half of each kl_warm_up_steps (Fu et al. 2019, "
        + "arXiv:1903.10145)"
    ),
    ("objective.kl_warm_up_steps", "over how many steps β rises"),
    (
      "objective.free_bits",
      "each channel's KL counts as at least this, in bits a position (Kingma et al. 2016, "
        + "arXiv:1606.04934, C.8)"
    ),
    (
      "objective.perceptual_weight",
      "weight of the distance of features, Σ mean w·(f(x) − f(y))² over layers of VGG-16, f of "
        + "length 1 (LPIPS: Zhang et al. 2018, arXiv:1801.03924)"
    ),
    ("objective.perceptual_network", "the file of those weights"),
    (
      "objective.adversarial_weight",
      "weight of −mean D(y), D a discriminator of patches (Isola et al. 2016, arXiv:1611.07004) "
        + "trained with hinges (Esser et al. 2020, arXiv:2012.09841)"
    ),
    ("objective.adversarial_start", "the step from which on it counts"),
  ]

  static let optimizerExplanations: [(path: String, meaning: String)] = [
    (
      "optimizer.learning_rate",
      "η of AdamW: x ← x(1 − ηλ) − η·m̂/(√v̂ + ε) (Loshchilov and Hutter 2017, arXiv:1711.05101)"
    ),
    ("optimizer.betas", "β₁ and β₂: what is kept of the means m of gradients and v of squares"),
    ("optimizer.epsilon", "ε"),
    ("optimizer.weight_decay", "λ"),
    ("optimizer.decay_norms_and_biases", "whether λ holds for biases and scales of norms, too"),
    ("optimizer.warm_up_steps", "for so many steps w, step s has the rate η·(s + 1)/w"),
    (
      "optimizer.schedule",
      "then constant; or cosine: η·(floor + (1 − floor)·½(1 + cos πp)) with p from 0 to 1 "
        + "(Loshchilov and Hutter 2016, arXiv:1608.03983, eq. 5)"
    ),
    ("optimizer.floor", "the part of η that the cosine ends at"),
    (
      "optimizer.clip_norm",
      "gradients g are multiplied with min(1, clip_norm/‖g‖), 0 for never (Pascanu et al. 2012, "
        + "arXiv:1211.5063)"
    ),
    ("optimizer.accumulation", "batches whose gradients are averaged for a step"),
    (
      "optimizer.ema_decay",
      "d of the running mean of weights that the run delivers: w̄ ← d'w̄ + (1 − d')w with d' = "
        + "min(d, (1 + t)/(10 + t)); 0 for the last weights themselves"
    ),
  ]

  static let sharedRunExplanations: [(path: String, meaning: String)] = [
    ("train.steps", "how many steps are made"),
    ("train.seed", "fixes first weights, batches and noise"),
    ("train.threads", "threads that compute, 0 for all; results don't depend on it"),
    ("train.log_every", "steps between lines of the log"),
    ("train.validate_every", "steps between validations, 0 for none"),
    ("train.checkpoint_every", "steps between checkpoints"),
    ("train.keep_checkpoints", "how many of the last checkpoints are kept"),
    ("train.sample_every", "steps between pictures of reconstructions, 0 for none"),
    ("train.sample_count", "how many pictures these show"),
    ("train.frozen", "names of parameters that stay, * for any letters: encoder.*"),
  ]

  private static let runExplanations: [(path: String, meaning: String)] = [
    ("train.decoder_only", "keep the encoder, so that latents stay valid"),
    (
      "train.activation_checkpointing",
      "compute activations again for gradients: less memory, more time (Chen et al. 2016, "
        + "arXiv:1604.06174)"
    ),
  ]
}
