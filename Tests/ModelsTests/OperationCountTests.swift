import Models
import Tensors
import TestSupport
import Testing

@Suite struct OperationCountTests {
  /// Multiplications and additions, counted by hand.
  @Test func aTinyDecoderIsCounted() throws {
    var configuration = AutoencoderTiny.Configuration()
    configuration.encoderBlockOutChannels = [8, 8]
    configuration.decoderBlockOutChannels = [8, 8]
    configuration.numEncoderBlocks = [1, 1]
    configuration.numDecoderBlocks = [1, 1]
    let model = AutoencoderTiny(configuration)
    // At 4×4: 4 → 8 and a block; at 8×8: a convolution, a block, 8 → 3.
    let decoder = 16 * (4 * 8 + 3 * 8 * 8) + 64 * (8 * 8 + 3 * 8 * 8 + 8 * 3)
    #expect(model.operationCount(of: .decoder, height: 8, width: 8) == 2 * 9 * decoder)
    // At 8×8: 3 → 8 and a block; at 4×4: a convolution, a block, 8 → 4.
    let encoder = 64 * (3 * 8 + 3 * 8 * 8) + 16 * (8 * 8 + 3 * 8 * 8 + 8 * 4)
    #expect(model.operationCount(of: .encoder, height: 8, width: 8) == 2 * 9 * encoder)
  }

  @Test func aSmallDenoiserIsCounted() {
    let model = tinyUNet()
    // At 8×8: the first and last convolution, a block down, the upsampler, and two blocks up.
    let up = [(16 + 8, 8), (8 + 8, 8)].reduce(0) { $0 + block($1.0, $1.1) }
    let fine = 64 * (9 * (4 * 8 + 8 * 4) + block(8, 8) + 9 * 16 * 16 + up)
    // At 4×4: the downsampler, a block down, the middle, two blocks up, and four attentions.
    let middle = block(8, 16) + 2 * block(16, 16) + block(32, 16) + block(24, 16)
    let coarse = 16 * (9 * 8 * 8 + middle + 4 * (4 * 16 * 16 + 2 * 16 * 16))
    // The embedding of time, and its projections.
    let time = 8 * 32 + 32 * 32 + 32 * (3 * 8 + 5 * 16)
    #expect(model.operationCount(height: 8, width: 8) == 2 * (fine + coarse + time))
  }

  /// Multiplications a pixel of a residual block.
  private func block(_ inputs: Int, _ outputs: Int) -> Int {
    9 * (inputs + outputs) * outputs + (inputs == outputs ? 0 : inputs * outputs)
  }

  @Test func aSmallKLDecoderIsCounted() {
    var configuration = AutoencoderKL.Configuration()
    configuration.blockOutChannels = [4, 8]
    configuration.downBlockTypes = ["DownEncoderBlock2D", "DownEncoderBlock2D"]
    configuration.upBlockTypes = ["UpDecoderBlock2D", "UpDecoderBlock2D"]
    configuration.normNumGroups = 2
    let model = AutoencoderKL(configuration)
    // At 4×4: the latent's convolutions, the middle with attention, and the first up block.
    let coarse = 16 * (4 * 4 + 9 * 4 * 8 + 9 * 4 * 8 * 8 + 4 * 8 * 8 + 9 * 4 * 8 * 8)
    let attention = 2 * 16 * 16 * 8
    // At 8×8: the upsampler, two blocks of which the first narrows, and the last convolution.
    let fine = 64 * (9 * 8 * 8 + 9 * (8 * 4 + 4 * 4) + 8 * 4 + 9 * 2 * 4 * 4 + 9 * 4 * 3)
    #expect(
      model.operationCount(of: .decoder, height: 8, width: 8) == 2 * (coarse + attention + fine))
  }
}
