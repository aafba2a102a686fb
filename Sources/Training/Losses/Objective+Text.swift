import Tensors

extension Objective {
  /// What is added to the loss: a line a term, with weight and reduction, as a run prints it first.
  public var text: String {
    let lines =
      [reconstructionLine] + pictureLines + bottleneckLines
    return "loss = sum of\n" + lines.map { "  \($0)" }.joined(separator: "\n") + "\n"
  }

  private var reconstructionLine: String {
    let formula =
      switch settings.reconstruction {
      case .mse: "(y − x)²"
      case .l1: "|y − x|"
      case .huber: "Huber's loss of y − x with δ = \(shown(settings.huberDelta))"
      case .gaussian: "−ln N(x; y, σ²) in nats, \(scale("σ"))"
      case .laplace: "−ln Laplace(x; y, b) in nats, \(scale("b"))"
      }
    return line(
      settings.reconstructionWeight, settings.reconstruction.rawValue, formula,
      "mean over pictures, pixels and channels")
  }

  private func scale(_ name: String) -> String {
    (settings.learnsLikelihoodScale ? "\(name) learned from " : "\(name) = ")
      + shown(settings.likelihoodScale)
  }

  private var pictureLines: [String] {
    var lines: [String] = []
    if settings.ssimWeight > 0 {
      lines.append(
        line(
          settings.ssimWeight, "ssim", "1 − SSIM, windows of 11 × 11",
          "mean over pictures, windows and channels"))
    }
    if settings.msSSIMWeight > 0 {
      lines.append(
        line(
          settings.msSSIMWeight, "ms_ssim", "1 − MS-SSIM over 5 scales",
          "mean over pictures and channels"))
    }
    if settings.perceptualWeight > 0 {
      lines.append(
        line(
          settings.perceptualWeight, "perceptual",
          "squared distance of unit feature vectors of \(settings.perceptualNetwork)",
          "sum over 5 layers, mean over pictures and positions"))
    }
    if settings.adversarialWeight > 0 {
      let balance = settings.adversarialAdapts ? " · λ (the ratio of gradients)" : ""
      lines.append(
        line(
          settings.adversarialWeight, "adversarial",
          "−D(y)\(balance), from step \(settings.adversarialStart)",
          "mean over pictures and patches"))
    }
    return lines
  }

  private var bottleneckLines: [String] {
    switch bottleneck.kind {
    case .kl: return [klLine]
    case .fsq:
      let count = bottleneck.fsqLevels.reduce(1, *)
      return ["no term for the codes: \(count) of fixed levels"]
    case .vq:
      let commitment = line(
        bottleneck.commitmentWeight, "commitment", "(z − sg[e])²",
        "mean over pictures, positions and channels")
      let book =
        bottleneck.codebookUpdate == .loss
        ? line(1, "codebook", "(sg[z] − e)²", "mean over pictures, positions and channels")
        : "no term for the book: running means that keep \(shown(bottleneck.codebookDecay))"
      return [commitment, book]
    }
  }

  private var klLine: String {
    var formula =
      settings.klEstimate == .closed
      ? "KL(q ‖ N(0, 1)) in closed form" : "ln q(z|x) − ln p(z) of the sample"
    formula += ", in nats"
    if settings.freeBits > 0 {
      formula += ", of each channel at least \(shown(settings.freeBits)) bits a position"
    }
    if settings.klCapacity > 0 {
      formula += ", distance from C = \(shown(settings.klCapacity))"
      if settings.klCapacitySteps > 0 {
        formula += " (risen over \(settings.klCapacitySteps) steps)"
      }
    }
    switch settings.klWarmUp {
    case .none: break
    case .linear: formula += ", β in a line over \(settings.klWarmUpSteps) steps"
    case .cyclical: formula += ", β in cycles of \(settings.klWarmUpSteps) steps"
    }
    return line(
      settings.klWeight, "kl", formula,
      "sum over a latent / (height · width · channels of the picture), mean over pictures")
  }

  private func line(
    _ weight: Double, _ name: String, _ formula: String, _ reduction: String
  ) -> String {
    "\(shown(weight)) · \(name): \(formula); \(reduction)"
  }

  private func shown(_ number: Double) -> String { JSONValue(number).text }
}
