import Models
import Pipelines
import TestSupport
import Testing

@Suite struct AttentionEstimateTests {
  @Test func attentionDominatesLargePicturesOnly() throws {
    let model = try tinyAutoencoderKL().autoencoder
    #expect(AttentionEstimate(.encode, height: 16, width: 16, with: model) == nil)
    let estimate = try #require(
      AttentionEstimate(.encode, height: 4096, width: 4096, with: model))
    #expect(estimate.placeCount == 1 << 20 && estimate.timeShare > 0.5)
    // Queries · keys and weights · values of 8 channels, a multiplication and an addition each.
    #expect(estimate.attentionOperationCount == 4 * 8 << 40)
    #expect(estimate.attentionTime > .zero)
    #expect("\(estimate)".contains("1048576 places"))
  }

  @Test func attentionInWindowsHasNoEstimate() throws {
    var model = try tinyAutoencoderKL()
    #expect(LatentCodec(model).attentionEstimate(.decode, height: 4096, width: 4096) != nil)
    model.attentionWindow = 64
    #expect(LatentCodec(model).attentionEstimate(.decode, height: 4096, width: 4096) == nil)
  }

  @Test func whatHasNoAttentionHasNoEstimate() throws {
    let model = try tinyAutoencoderTiny().autoencoder
    #expect(AttentionEstimate(.decode, height: 1 << 14, width: 1 << 14, with: model) == nil)
  }
}
