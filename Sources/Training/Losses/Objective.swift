import FoundationEssentials
public import Models
public import Tensors

/// What training makes small: the terms of ``ObjectiveSettings``, each a function of its own,
/// weighted and added.
///
/// ```swift
/// let (_, report, gradient) = valueWithGradient(at: trained) { trained in
///   let code = BottleneckOutput(sampling: trained.model.encode(pictures), using: &noise)
///   return objective(
///     pictures: pictures, reconstructions: trained.model.decode(code.latents), code: code,
///     parameters: trained.objective, step: step)
/// }
/// ```
///
/// ``text`` says what is added, with weights and reductions.
public struct Objective: Sendable {
  /// Weights and kinds of the terms.
  public let settings: ObjectiveSettings
  /// What stands between encoder and decoder; its terms are added too.
  public let bottleneck: BottleneckSettings
  /// The distance of the perceptual term, if that counts.
  public let perceptual: PerceptualDistance?

  /// An objective with a network that is there already.
  ///
  /// - Parameters:
  ///   - settings: weights and kinds of the terms.
  ///   - bottleneck: what stands between encoder and decoder.
  ///   - perceptual: the distance of the perceptual term.
  /// - Precondition: there is a distance if its weight is above 0.
  public init(
    _ settings: ObjectiveSettings, bottleneck: BottleneckSettings = BottleneckSettings(),
    perceptual: PerceptualDistance? = nil
  ) {
    precondition(
      settings.perceptualWeight == 0 || perceptual != nil, "a perceptual term without a network")
    self.settings = settings
    self.bottleneck = bottleneck
    self.perceptual = perceptual
  }

  /// The objective that settings describe, with the network that they name.
  ///
  /// - Throws: `CheckpointError` if that can't be read.
  public init(reading settings: TrainingSettings) throws(CheckpointError) {
    let network = settings.objective.perceptualNetwork
    self.init(
      settings.objective, bottleneck: settings.bottleneck,
      perceptual: settings.objective.perceptualWeight > 0
        ? try PerceptualDistance(contentsOf: URL(filePath: network)) : nil)
  }

  /// The loss of a batch.
  ///
  /// - Parameters:
  ///   - pictures: x, `[N, H, W, 3]` in −1…1.
  ///   - reconstructions: y, of the same shape.
  ///   - code: what y was decoded from.
  ///   - parameters: those that were made of the same settings.
  ///   - step: how many steps were made before; β and C depend on it.
  ///   - adversary: what judges y; nil leaves the adversarial term out.
  /// - Returns: the loss, a scalar; and what it consists of, where nothing is recorded.
  /// - Precondition: the shapes agree.
  public func callAsFunction(
    pictures: Tensor, reconstructions: Tensor, code: BottleneckOutput,
    parameters: ObjectiveParameters, step: Int, adversary: Adversary? = nil
  ) -> (loss: Tensor, report: ObjectiveReport) {
    precondition(
      pictures.shape == reconstructions.shape,
      "\(pictures.shape) reconstructed as \(reconstructions.shape)")
    var sum = ObjectiveSum()
    addReconstruction(reconstructions, pictures, parameters, to: &sum)
    addSimilarities(reconstructions, pictures, to: &sum)
    if let adversary { addJudgement(of: reconstructions, by: adversary, step: step, to: &sum) }
    addDivergence(of: code, samples: pictures.shape.samplesOfAPicture, step: step, to: &sum)
    addQuantization(code.quantization, to: &sum)
    return sum.result()
  }

  private func addReconstruction(
    _ y: Tensor, _ x: Tensor, _ parameters: ObjectiveParameters, to sum: inout ObjectiveSum
  ) {
    let value: Tensor
    switch settings.reconstruction {
    case .mse: value = ReconstructionLosses.meanSquared(y, x)
    case .l1: value = ReconstructionLosses.meanAbsolute(y, x)
    case .huber: value = ReconstructionLosses.huber(y, x, delta: settings.huberDelta)
    case .gaussian:
      value = ReconstructionLosses.gaussian(y, x, logScale: logScale(parameters, &sum))
    case .laplace:
      value = ReconstructionLosses.laplace(y, x, logScale: logScale(parameters, &sum))
    }
    sum.add(settings.reconstruction.rawValue, value, weight: settings.reconstructionWeight)
  }

  private func logScale(_ parameters: ObjectiveParameters, _ sum: inout ObjectiveSum) -> Tensor {
    let fixed = Float(ElementaryFunctions.logarithm(settings.likelihoodScale))
    let logScale = parameters.logScale ?? Tensor([fixed], shape: [1])
    sum.report.likelihoodScale = exponential(Double(logScale.span[0]))
    return logScale
  }

  private func addSimilarities(_ y: Tensor, _ x: Tensor, to sum: inout ObjectiveSum) {
    if settings.ssimWeight > 0 {
      sum.add("ssim", StructuralSimilarityLoss.ssim(y, x), weight: settings.ssimWeight)
    }
    if settings.msSSIMWeight > 0 {
      sum.add("ms_ssim", StructuralSimilarityLoss.multiScale(y, x), weight: settings.msSSIMWeight)
    }
    if settings.perceptualWeight > 0, let perceptual {
      sum.add("perceptual", perceptual(y, x), weight: settings.perceptualWeight)
    }
  }

  /// Whether the adversarial term counts at a step, which then needs an ``Adversary``.
  public func isAdversarial(atStep step: Int) -> Bool {
    settings.adversarialWeight > 0 && step >= settings.adversarialStart
  }

  private func addJudgement(
    of y: Tensor, by adversary: Adversary, step: Int, to sum: inout ObjectiveSum
  ) {
    guard isAdversarial(atStep: step) else { return }
    let value = AdversarialLosses.generator(fake: adversary.discriminator(y))
    var balance = 1.0
    if settings.adversarialAdapts, let weight = adversary.lastLayer, weight.isRecorded,
      let others = sum.loss
    {
      balance = AdversarialLosses.adaptiveWeight(
        reconstruction: others, adversarial: value, withRespectTo: weight)
    }
    sum.add("adversarial", value, weight: settings.adversarialWeight * balance)
    sum.report.adversarialWeight = balance
  }

  private func addDivergence(
    of code: BottleneckOutput, samples: Int, step: Int, to sum: inout ObjectiveSum
  ) {
    guard let posterior = code.posterior, posterior.logVariance != nil else { return }
    let noise = settings.klEstimate == .monteCarlo ? code.noise : nil
    let perChannel = noise.map { posterior.klPerChannel(noise: $0) } ?? posterior.klPerChannel()
    let shape = posterior.mean.shape
    let counted = KLDivergence.withFreeBits(
      perChannel, bits: settings.freeBits, positions: shape[1] * shape[2])
    let weight = settings.klWeight(atStep: step)
    sum.add(
      "kl",
      KLDivergence.aroundCapacity(
        counted.sum() / Float(samples), capacity: settings.klCapacity(atStep: step)),
      weight: weight, measured: perChannel.detached().sum() / Float(samples))
    sum.report.klWeight = weight
    sum.report.klPerChannel = perChannel.scalars.map(Double.init)
  }

  private func addQuantization(_ quantization: Quantization?, to sum: inout ObjectiveSum) {
    guard let quantization else { return }
    if let loss = quantization.commitmentLoss {
      sum.add("commitment", loss, weight: bottleneck.commitmentWeight)
    }
    if let loss = quantization.codebookLoss { sum.add("codebook", loss, weight: 1) }
    sum.report.codes = quantization.usage
  }
}

/// A weighted sum while it is added up.
struct ObjectiveSum {
  var loss: Tensor?
  var report = ObjectiveReport()

  /// Adds a term.
  ///
  /// - Parameters:
  ///   - name: what the report calls it.
  ///   - value: a scalar.
  ///   - weight: what it is multiplied with; what weighs nothing is reported alone.
  ///   - measured: what the report shows, if not `value`.
  mutating func add(_ name: String, _ value: Tensor, weight: Double, measured: Tensor? = nil) {
    let shown = measured ?? value
    let measured = Double(shown.span[0])
    let weighted = value * Float(weight)
    report.terms.append(
      ObjectiveReport.Term(
        name: name, value: measured, contribution: weight == 0 ? 0 : Double(weighted.span[0])))
    if weight != 0 { loss = loss.map { $0 + weighted } ?? weighted }
  }

  func result() -> (loss: Tensor, report: ObjectiveReport) {
    let loss = loss ?? Tensor(zeros: [])
    var report = report
    report.loss = Double(loss.span[0])
    return (loss, report)
  }
}

extension Shape {
  /// Height · width · channels of pictures `[N, H, W, C]`.
  var samplesOfAPicture: Int { dimensions.dropFirst().reduce(1, *) }
}
