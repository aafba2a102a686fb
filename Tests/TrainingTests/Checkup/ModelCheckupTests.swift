import Images
import Layers
import Models
import Pipelines
import Tensors
import TestSupport
import Testing
import Training

@Suite struct ModelCheckupTests {
  private func findings(
    _ model: any Autoencoder, pictures: [Image] = [samplePicture(40, 30), samplePicture(16, 12)]
  ) throws -> [String: Finding] {
    let pretrained = PretrainedAutoencoder(name: "m", autoencoder: model)
    var checkup = ModelCheckup(of: LatentCodec(pretrained))
    for picture in pictures { try checkup.add(picture, named: "p") }
    return Dictionary(uniqueKeysWithValues: checkup.findings.map { ($0.check, $0) })
  }

  /// A small model with a variance, with the moments' weights and biases as wanted.
  private func model(
    weightScale: Float = 1, bias: (inout [Float]) -> Void
  ) throws -> AutoencoderCompact {
    var configuration = AutoencoderCompact.Configuration()
    configuration.doubleZ = true
    configuration.linearShortcut = false
    var model = AutoencoderCompact(configuration)
    var random = PhiloxRandomSource(seed: 1)
    model.randomize(using: &random)
    var biases = [Float](repeating: 0, count: 2 * configuration.latentChannels)
    bias(&biases)
    model.encoder.convOut.weight = model.encoder.convOut.weight * weightScale
    model.encoder.convOut.bias = Tensor(biases, shape: [biases.count])
    return model
  }

  @Test(arguments: EmbeddedModels.names)
  func theEmbeddedModelsAreHealthy(_ name: String) throws {
    let model = try #require(try EmbeddedModels.load(name))
    let samples = try SamplePicture.all.map { try $0.image() }
    let findings = try findings(model.autoencoder, pictures: samples)
    #expect(findings.values.allSatisfy { $0.level == .fine }, "\(findings)")
    #expect(findings["log-variance"] == nil || name == "emoji")
  }

  @Test func undefinedWeightsAreFound() throws {
    let broken = try model { $0[0] = .nan }
    let found = try findings(broken)
    #expect(found["weights"]?.level == .wrong && found["output"]?.level == .wrong)
    #expect(found["weights"]?.message.contains("encoder.conv_out.bias") == true)
    #expect(found["scaling"] == nil)
  }

  @Test func aCollapsedPosteriorIsFound() throws {
    // Without weights behind them, moments are 0: N(0, 1) for every picture.
    let found = try findings(model(weightScale: 0) { _ in })
    #expect(found["posterior"]?.level == .wrong)
    #expect(found["posterior"]?.message.contains("all channels") == true)
    #expect(found["channels"]?.level == .wrong)
  }

  @Test func clampedVariancesAreFound() throws {
    let high = try findings(model { $0[$0.count - 1] = 900 })
    #expect(high["log-variance"]?.level == .wrong)
    let low = try findings(model { $0[$0.count / 2] = -900 })
    #expect(low["log-variance"]?.level == .warning)
    #expect(low["log-variance"]?.message.hasSuffix("channels 0") == true)
  }

  @Test func aScalingThatDoesNotFitIsSaid() throws {
    var photo = try #require(try EmbeddedModels.load("photo")).autoencoder
    photo.latentScaling = LatentScaling(factor: 0.18215)
    let pictures = try SamplePicture.all.map { try $0.image() }
    let finding = try #require(try findings(photo, pictures: pictures)["scaling"])
    #expect(finding.level == .warning && finding.advice?.contains("scaling_factor 0.") == true)
  }

  @Test func opacityCountsInTheSpace() throws {
    func bytesPerPixel(_ picture: Image) throws -> Double {
      var checkup = ModelCheckup(of: LatentCodec(try tinyAutoencoderKL()))
      #expect(checkup.bytesPerPixel == nil)
      try checkup.add(picture, named: "p")
      return try #require(checkup.bytesPerPixel)
    }
    // Of a factor of 4 with 4 channels, latents take 1/4 byte a pixel, and the header.
    let plain = try bytesPerPixel(samplePicture(200, 160))
    #expect((0.15...0.35).contains(plain))
    // Noisy opacity hardly shrinks.
    #expect(try bytesPerPixel(samplePicture(200, 160, .rgba)) > plain + 0.3)
  }
}
