extension DiffusionSettings {
  /// What each setting means, with formulas and sources, and its default: for `--help`.
  public static var explanation: String {
    explanation(symbols: "x₀: latents, ε: noise, x: both together", of: explanations)
  }

  /// The path and the meaning of each setting, in the order of the file.
  static let explanations: [(path: String, meaning: String)] =
    [
      (
        "model",
        "a new denoiser by its preset (small, tiny), or a UNet2DModel's config.json, with "
          + "_class_name; or one that is trained further: a model folder's path, or builtin:emoji, "
          + "the program's own"
      ),
      (
        "autoencoder",
        "name or path of that which made the latents; empty to look for it in `lvae models list`"
      ),
    ] + dataExplanations + noiseExplanations + objectiveExplanations + samplingExplanations
    + TrainingSettings.optimizerExplanations + TrainingSettings.sharedRunExplanations

  private static let dataExplanations: [(path: String, meaning: String)] = [
    ("data.batch_size", "latents in a batch"),
    (
      "data.labels",
      "where classes are found. folders: the folder that a latent lies in, or a shard's .cls member; "
        + "none; or a CSV file with lines of a name and a class"
    ),
    (
      "data.balance",
      "b: classes come in proportion to (their count)^(1 − b); 1 for all equally often"
    ),
    (
      "data.draws",
      "draw latents anew each time, z = μ + σε, where `encode --posterior moments` kept both"
    ),
    (
      "data.validation_fraction",
      "the part kept for validation: latents whose name has a CRC-32 below it · 2³²"
    ),
    ("data.cache_mib", "memory for latents in MiB; those beyond it are read each time"),
  ]

  private static let noiseExplanations: [(path: String, meaning: String)] = [
    (
      "noise.schedule",
      "how β grows, x = √ᾱ·x₀ + √(1 − ᾱ)·ε with ᾱ the product of 1 − β (Ho et al. 2020, "
        + "arXiv:2006.11239): linear, scaled_linear (Stable Diffusion's), squaredcos_cap_v2 (Nichol "
        + "and Dhariwal 2021, arXiv:2102.09672), sigmoid"
    ),
    ("noise.timesteps", "how many there are"),
    ("noise.beta_start", "β of the first, where the schedule has use for it"),
    ("noise.beta_end", "β of the last"),
    (
      "noise.zero_terminal_snr",
      "stretch β so that nothing is left of x₀ at last (Lin et al. 2023, arXiv:2305.08891)"
    ),
    (
      "noise.prediction",
      "what the denoiser says: epsilon; v_prediction, √ᾱ·ε − √(1 − ᾱ)·x₀ (Salimans and Ho 2022, "
        + "arXiv:2202.00512); sample, x₀; flow_prediction, ε − x₀ on the straight path x = "
        + "(1 − σ)·x₀ + σ·ε (Lipman et al. 2022, arXiv:2210.02747)"
    ),
  ]

  private static let objectiveExplanations: [(path: String, meaning: String)] = [
    (
      "objective.weighting",
      "w of mean w·(estimate − target)². none: 1; min_snr: min(SNR, γ) on x₀, with SNR = ᾱ/(1 − ᾱ), "
        + "so min(SNR, γ)/SNR for epsilon, /(SNR + 1) for v_prediction, ·1 for sample, ·σ² for "
        + "flow_prediction (Hang et al. 2023, arXiv:2303.09556); edm: (σ² + σd²)/(σ·σd)² on x₀ with "
        + "σ = noise/signal (Karras et al. 2022, arXiv:2206.00364). But for epsilon min_snr gives "
        + "hardly any weight to the most noise; none gives all the same"
    ),
    ("objective.min_snr_gamma", "γ of min_snr"),
    ("objective.edm_sigma_data", "σd of edm, the deviation of x₀"),
    (
      "objective.label_dropout",
      "how often the class is withheld, so that pictures can be guided (Ho and Salimans 2022, "
        + "arXiv:2207.12598); 0 for never"
    ),
  ]

  private static let samplingExplanations: [(path: String, meaning: String)] = [
    ("sampling.scheduler", "which way from noise to picture, while it trains and by default later"),
    ("sampling.steps", "how many noise levels it goes through"),
    (
      "sampling.guidance",
      "w of e₀ + w·(e − e₀): how strongly the class is followed; 1 for no guidance"
    ),
  ]
}
