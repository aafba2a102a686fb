import Images
import TestSupport
import Testing

@Suite struct SSIMTests {
  @Test func equalPicturesHaveSimilarityOne() throws {
    let image = Image.noise(width: 176, height: 161)
    #expect(abs(try #require(image.structuralSimilarity(to: image)) - 1) < 1e-6)
    #expect(abs(try #require(image.multiScaleStructuralSimilarity(to: image)) - 1) < 1e-6)
  }

  /// Numbers of the formulas transcribed to numpy in float64 (11 Gaussian weights with σ = 1.5,
  /// `numpy.convolve(…, 'valid')` along both axes, 2×2 means with odd sides padded); here float32.
  @Test(arguments: [
    (17, 13, 0.5796281522, nil), (161, 177, 0.1598349008, 0.6973297295),
    (192, 200, 0.1570573784, 0.6880956652),
  ])
  func similaritiesAreThoseOfTheFormula(
    width: Int, height: Int, expected: Double, expectedOverScales: Double?
  ) throws {
    let smooth = Image.gradient(width: width, height: height)
    let noise = Image.noise(width: width, height: height)
    let mixed = Image(
      width, height, .rgb,
      zip(smooth.eightBitSamples, noise.eightBitSamples).map {
        UInt8((3 * Int($0) + Int($1)) / 4)
      })
    #expect(abs(try #require(smooth.structuralSimilarity(to: mixed)) - expected) < 2e-5)
    let overScales = smooth.multiScaleStructuralSimilarity(to: mixed)
    #expect((overScales == nil) == (expectedOverScales == nil))
    #expect(abs((overScales ?? 0) - (expectedOverScales ?? 0)) < 2e-5)
  }

  @Test func aPictureSmallerThanTheWindowHasNone() {
    let image = Image.noise(width: 10, height: 40)
    #expect(image.structuralSimilarity(to: image) == nil)
    let small = Image.noise(width: 160, height: 400)
    #expect(small.multiScaleStructuralSimilarity(to: small) == nil)
  }

  /// pytorch-msssim 1.0.0 (`ssim` and `ms_ssim` with `data_range=255`, in float32) on pictures whose
  /// samples s became min(⌊s/24⌋·24 + 12, 255).
  @Test(
    .enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)),
    arguments: [
      (1, 0.9012530446052551, 0.9794685244560242), (5, 0.8986852169036865, 0.9819160103797913),
      (13, 0.9168457388877869, 0.9847135543823242), (23, 0.8199546933174133, 0.9297444224357605),
    ])
  func photographsAreAsSimilarAsPyTorchSays(
    number: Int, expected: Double, expectedOverScales: Double
  ) throws {
    let name = "images/kodak/kodim\(number < 10 ? "0" : "")\(number).png"
    let image = try Image(contentsOf: SharedFiles.url(name))
    let coarse = Image(
      image.width, image.height, .rgb,
      image.eightBitSamples.map { UInt8(min(255, Int($0) / 24 * 24 + 12)) })
    #expect(abs(try #require(image.structuralSimilarity(to: coarse)) - expected) < 1e-4)
    let overScales = try #require(image.multiScaleStructuralSimilarity(to: coarse))
    #expect(abs(overScales - expectedOverScales) < 1e-4)
  }
}
