import Images
import LatentFiles
import Models
import Pipelines
import TestSupport
import Testing
import Training

@Suite struct PictureEvaluatorTests {
  private func evaluator(
    _ models: [PretrainedAutoencoder], _ storages: [LatentStorage] = [.int8, .f16]
  ) -> PictureEvaluator {
    PictureEvaluator(codecs: models.map { LatentCodec($0) }, storages: storages)
  }

  @Test(arguments: [Image.Channels.rgb, .grey, .rgba])
  func figuresAreThoseOfTheFilesThatEncodeWrites(channels: Image.Channels) throws {
    let image = samplePicture(37, 22, channels)
    let models = [try tinyAutoencoderKL(), try tinyAutoencoderTiny()]
    let found = try evaluator(models).evaluate(
      image, sourceSHA256: String(repeating: "a", count: 64))
    #expect(found.models.count == 2 && found.thumbnail == nil)
    for (model, result) in zip(models, found.models) {
      for stored in result.stored {
        let codec = LatentCodec(model)
        let file = try codec.encode(
          image, sourceSHA256: String(repeating: "a", count: 64),
          options: EncodingOptions(storage: stored.storage))
        let size = try file.encoded().count
        #expect(stored.measured.bytes == size)
        #expect(stored.measured.bitsPerPixel == Double(8 * size) / (37 * 22))
        let decoded = try codec.decode(file)
        let colors = image.separatingAlpha().colors
        #expect(stored.measured.psnr == decoded.peakSignalToNoiseRatio(to: colors))
        #expect(stored.measured.ssim == decoded.structuralSimilarity(to: colors))
        #expect(stored.measured.msSsim == nil)
        #expect((stored.entropyBitsPerPixel == nil) == (stored.storage == .f16))
      }
      #expect((result.evidence != nil) == model.autoencoder.hasPosterior)
    }
  }

  @Test func theNearestQualityIsFound() throws {
    let image = samplePicture(48, 40)
    for codec in ReferenceCodec.allCases {
      let sizes = try codec.qualities.map { try codec.encoded(image, quality: $0).count }
      let wanted = [1, 700, 1000, 1500, 2500, 1_000_000]
      let found = try CodecComparison(of: image, codec: codec, byteCounts: wanted)
      for (byteCount, result) in zip(wanted, found.nearest) {
        let best = sizes.map { abs($0 - byteCount) }.min() ?? 0
        let size = sizes[result.quality - codec.qualities.lowerBound]
        // Files don't grow quite evenly.
        #expect(abs(size - byteCount) <= best + size / 50, "\(codec) \(byteCount)")
        #expect(result.measured.bytes == size)
      }
      #expect(found.curve.map(\.quality) == codec.curveQualities)
      for result in found.curve {
        let bytes = try codec.encoded(image, quality: result.quality)
        let decoded = try Image(decoding: bytes)
        #expect(result.measured.psnr == decoded.peakSignalToNoiseRatio(to: image))
      }
    }
  }

  @Test func meansAreOverThePicturesThatHaveTheFigure() throws {
    let evaluator = evaluator([try tinyAutoencoderTiny()], [.int8])
    let images = [samplePicture(176, 164), samplePicture(40, 40), samplePicture(8, 30)]
    var totals = EvaluationTotals(for: evaluator)
    var measured: [PictureQuality] = []
    for (number, image) in images.enumerated() {
      var evaluation = try evaluator.evaluate(image)
      try evaluator.addCodecs(to: &evaluation, of: image)
      measured.append(evaluation.models[0].stored[0].measured)
      totals.add(evaluation, input: "\(number).png")
    }
    let means = totals.models[0].stored[0].means
    #expect(means.pictureCount == 3 && means.ssim.count == 2 && means.msSsim.count == 1)
    #expect(means.msSsim.value == measured[0].msSsim)
    let psnr = measured.reduce(0) { $0 + $1.psnr } / 3
    #expect(abs(try #require(means.psnr.value) - psnr) < 1e-9)
    let png = try images.map {
      Double(8 * (try $0.encoded(as: .png()).count)) / Double($0.pixelCount)
    }
    #expect(abs(try #require(totals.png.value) - png.reduce(0, +) / 3) < 1e-9)
    #expect(totals.rateDifferences.allSatisfy { $0.percent == nil && $0.reason != nil })
  }

  @Test func modelsOfOneNameAreToldApart() throws {
    let model = try tinyAutoencoderTiny()
    let totals = EvaluationTotals(for: evaluator([model, model]))
    #expect(totals.models.map(\.name) == ["tiny-taesd", "tiny-taesd (2)"])
  }
}
