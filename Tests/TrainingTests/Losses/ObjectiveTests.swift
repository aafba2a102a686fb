import Layers
import Models
import Pipelines
import Tensors
import TestSupport
import Testing
import Training

@Suite struct ObjectiveTests {
  private let x = sampleTensor([2, 16, 16, 3])
  private let y = sampleTensor([2, 16, 16, 3], seed: 2)
  private let posterior = DiagonalGaussianDistribution(
    mean: sampleTensor([2, 4, 4, 4], seed: 3), logVariance: sampleTensor([2, 4, 4, 4], seed: 4))

  private func result(
    step: Int = 0, code: BottleneckOutput? = nil, _ change: (inout ObjectiveSettings) -> Void
  ) -> (loss: Tensor, report: ObjectiveReport) {
    var settings = ObjectiveSettings()
    change(&settings)
    return Objective(settings)(
      pictures: x, reconstructions: y,
      code: code
        ?? BottleneckOutput(sampling: posterior, noise: sampleTensor([2, 4, 4, 4], seed: 5)),
      parameters: ObjectiveParameters(settings), step: step)
  }

  @Test func termsAreWeighedAndAdded() throws {
    let (loss, report) = result {
      $0.reconstruction = .mse
      $0.reconstructionWeight = 2
      $0.ssimWeight = 0.5
      $0.klWeight = 0.25
    }
    #expect(report.terms.map(\.name) == ["mse", "ssim", "kl"])
    let mse = Double(ReconstructionLosses.meanSquared(y, x).scalars[0])
    let ssim = Double(StructuralSimilarityLoss.ssim(y, x).scalars[0])
    let kl = Double(posterior.klDivergence().scalars.reduce(0, +)) / 2 / 768
    for (name, value) in [("mse", mse), ("ssim", ssim), ("kl", kl)] {
      #expect(abs(try #require(report[name]) - value) < 1e-6)
    }
    let sum = 2 * mse + 0.5 * ssim + 0.25 * kl
    #expect(abs(Double(loss.scalars[0]) - sum) < 1e-5)
    #expect(report.loss == Double(loss.scalars[0]))
    #expect(abs(report.terms.reduce(0) { $0 + $1.contribution } - report.loss) < 1e-6)
    #expect(abs(report.klPerChannel.reduce(0, +) - kl * 768) < 1e-4)
    #expect(report.values.map(\.name) == ["loss", "mse", "ssim", "kl", "kl_weight"])
  }

  @Test func theDivergenceRisesWithItsWeight() throws {
    func contribution(_ step: Int) throws -> Double {
      let report = result(step: step) {
        $0.klWeight = 1
        ($0.klWarmUp, $0.klWarmUpSteps) = (.linear, 10)
      }.report
      return try #require(report.terms.last).contribution
    }
    let first = try contribution(0)
    #expect(first == 0)
    let (half, whole) = (try contribution(5), try contribution(10))
    #expect(abs(half * 2 - whole) < 1e-6)
  }

  @Test func capacityAndFreeBitsChangeTheLossOnly() throws {
    let plain = try #require(result { $0.klWeight = 1 }.report.terms.last)
    let capacity = try #require(
      result(step: 3) {
        ($0.klWeight, $0.klCapacity, $0.klCapacitySteps) = (1, 1, 6)
      }.report.terms.last)
    #expect(capacity.value == plain.value)
    #expect(abs(capacity.contribution - abs(plain.value - 0.5)) < 1e-6)
    let free = try #require(
      result { ($0.klWeight, $0.freeBits) = (1, 10) }.report.terms.last)
    #expect(free.value == plain.value)
    let expected = 4.0 * 16 * 10 * 0.6931472 / 768
    #expect(abs(free.contribution - expected) < 1e-5)
  }

  @Test func theEstimateUsesTheSampleThatIsDecoded() throws {
    let noise = sampleTensor([2, 4, 4, 4], seed: 5)
    let estimate = try #require(result { $0.klEstimate = .monteCarlo }.report["kl"])
    let expected = posterior.klPerChannel(noise: noise).scalars.reduce(0, +) / 768
    #expect(abs(estimate - Double(expected)) < 1e-6)
  }

  @Test func aDeterministicAutoencoderHasNoDivergence() {
    let deterministic = DiagonalGaussianDistribution(mean: posterior.mean, logVariance: nil)
    var source = PhiloxRandomSource(seed: 1)
    var untouched = source
    let code = BottleneckOutput(sampling: deterministic, using: &source)
    #expect(source.next() == untouched.next())
    #expect(code.latents.scalars == posterior.mean.scalars)
    let report = result(code: code) { $0.klWeight = 1 }.report
    #expect(report.terms.map(\.name) == ["l1"] && report.klPerChannel.isEmpty)
  }

  @Test func theScaleIsLearnedWhereItIsAsked() throws {
    var settings = ObjectiveSettings()
    settings.reconstruction = .gaussian
    settings.likelihoodScale = 0.5
    let objective = Objective(settings)
    let code = BottleneckOutput(sampling: posterior, noise: nil)
    let (_, report, gradient) = valueWithGradient(at: ObjectiveParameters(settings)) {
      objective(pictures: x, reconstructions: y, code: code, parameters: $0, step: 0)
    }
    // d/d ln σ of d²/(2σ²) + ln σ
    let mse = Double(ReconstructionLosses.meanSquared(y, x).scalars[0])
    let found = try #require(gradient[ParameterPath("log_scale")]).scalars[0]
    let expected = 1 - mse / 0.25
    #expect(abs(Double(found) - expected) < 1e-4)
    #expect(abs((report.likelihoodScale ?? 0) - 0.5) < 1e-6)
    settings.learnsLikelihoodScale = false
    #expect(ObjectiveParameters(settings).logScale == nil)
    let fixed = Objective(settings)(
      pictures: x, reconstructions: y, code: code, parameters: ObjectiveParameters(settings),
      step: 0)
    #expect(abs(fixed.report.loss - report.loss) < 1e-5)
  }

  @Test func theAdversaryCountsFromItsStep() throws {
    var settings = ObjectiveSettings()
    (settings.adversarialWeight, settings.adversarialStart) = (0.5, 10)
    var source = PhiloxRandomSource(seed: 1)
    let discriminator = PatchDiscriminator(channels: 4, layers: 1, using: &source)
    var decoder = Conv2d(inputChannels: 4, outputChannels: 3, kernelSize: 3)
    decoder.randomize(using: &source)
    let objective = Objective(settings)
    func run(_ step: Int) -> (ObjectiveReport, Gradient) {
      let (_, report, gradient) = valueWithGradient(at: decoder) { decoder in
        objective(
          pictures: sampleTensor([2, 16, 16, 3]),
          reconstructions: decoder(sampleTensor([2, 16, 16, 4], seed: 3)),
          code: BottleneckOutput(sampling: posterior, noise: nil),
          parameters: ObjectiveParameters(settings), step: step,
          adversary: Adversary(discriminator: discriminator, judging: decoder))
      }
      return (report, gradient)
    }
    let (before, _) = run(9)
    #expect(before.adversarialWeight == nil && before["adversarial"] == nil)
    let (report, gradient) = run(10)
    let lambda = try #require(report.adversarialWeight)
    #expect(lambda > 0 && lambda <= 1e4 && lambda != 1)
    let term = try #require(report.terms.first { $0.name == "adversarial" })
    #expect(abs(term.contribution - 0.5 * lambda * term.value) < 1e-5)
    #expect(gradient.isFinite && gradient.norm > 0)
  }

  @Test func codesBringTheirTerms() throws {
    var source = PhiloxRandomSource(seed: 1)
    for kind in [BottleneckSettings.Kind.vq, .fsq] {
      var settings = BottleneckSettings()
      settings.kind = kind
      (settings.codebookSize, settings.codebookUpdate) = (20, .loss)
      let bottleneck = try Bottleneck(settings, latentChannels: 4, using: &source)
      let report = Objective(ObjectiveSettings(), bottleneck: settings)(
        pictures: x, reconstructions: y, code: bottleneck(posterior, using: &source),
        parameters: ObjectiveParameters(ObjectiveSettings()), step: 0
      ).report
      #expect(
        report.terms.map(\.name) == (kind == .vq ? ["l1", "commitment", "codebook"] : ["l1"]))
      #expect(report.codes?.codeCount == (kind == .vq ? 20 : 2560))
      #expect(report.values.map(\.name).suffix(2) == ["perplexity", "codes_used"])
    }
  }

  @Test func theTextSaysEachTermWithWeightAndReduction() {
    var settings = ObjectiveSettings()
    #expect(
      Objective(settings).text == """
        loss = sum of
          1 · l1: |y − x|; mean over pictures, pixels and channels
          1e-06 · kl: KL(q ‖ N(0, 1)) in closed form, in nats; sum over a latent / (height · width · \
        channels of the picture), mean over pictures

        """)
    settings.reconstruction = .gaussian
    settings.klEstimate = .monteCarlo
    (settings.ssimWeight, settings.msSSIMWeight) = (0.5, 0.25)
    (settings.freeBits, settings.klCapacity, settings.adversarialWeight) = (0.5, 2, 0.1)
    (settings.klWarmUp, settings.klWarmUpSteps) = (.cyclical, 100)
    let text = Objective(settings).text
    for part in [
      "σ learned from 0.25", "0.5 · ssim", "0.25 · ms_ssim", "0.1 · adversarial", "C = 2",
      "at least 0.5 bits", "cycles of 100", "ln q(z|x) − ln p(z)",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    var codes = BottleneckSettings()
    codes.kind = .vq
    let line = "0.25 · commitment: (z − sg[e])²; mean over pictures, positions and channels"
    #expect(Objective(settings, bottleneck: codes).text.contains(line))
  }

  @Test(arguments: [1, 3])
  func threadsDoNotChangeBits(threads: Int) throws {
    func values(_ threads: Int) throws -> [Float] {
      try ThreadPool.$current.withValue(ThreadPool(threadCount: threads)) {
        var settings = ObjectiveSettings()
        settings.ssimWeight = 1
        settings.adversarialWeight = 0.5
        settings.klWeight = 0.1
        let model = try #require(try tinyAutoencoderKL().autoencoder as? AutoencoderKL)
        var source = PhiloxRandomSource(seed: 1)
        let discriminator = PatchDiscriminator(channels: 8, layers: 2, using: &source)
        let objective = Objective(settings)
        let pictures = sampleTensor([2, 32, 32, 3])
        let (loss, gradient) = valueWithGradient(at: model) { model in
          let code = BottleneckOutput(sampling: model.encode(pictures), using: &source)
          return objective(
            pictures: pictures, reconstructions: model.decode(code.latents), code: code,
            parameters: ObjectiveParameters(settings), step: 0,
            adversary: Adversary(discriminator: discriminator, judging: model)
          ).loss
        }
        return loss.scalars + gradient.paths.flatMap { gradient[$0]?.scalars ?? [] }
      }
    }
    #expect(try values(2) == values(threads))
  }
}
