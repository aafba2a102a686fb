import Foundation
import Images
import Models
import Tensors
import TestSupport
import Testing

/// Whole photographs through real weights, which are large enough for every way of computing in
/// bands, against latents and pictures that were computed with PyTorch.
@Suite(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
struct RealPictureTests {
  @Test(arguments: ["taesd", "taef1", "taef2"])
  func wholePhotographsAgreeWithTheReference(_ name: String) throws {
    let model = try ImportedModel(contentsOf: SharedFiles.url("models/taesd/\(name)"))
      .autoencoder()
    for photograph in ["kodim05", "kodim23"] {
      let golden = try Safetensors(
        contentsOf: SharedFiles.url("models/taesd/golden/\(name)_full_\(photograph).safetensors"))
      let image = try Image(contentsOf: SharedFiles.url("images/kodak/\(photograph).png"))
      let latents = model.encode(image.tensor()).mode
      let expected = try golden.input("latents")
      let difference = zip(latents.scalars, expected.scalars).map { abs($0 - $1) }.max() ?? 1
      #expect(latents.shape == expected.shape && difference < 2e-4, "\(photograph)")
      let samples = try golden.rawBytes(named: "recon_u8")
      let reference = Image(
        width: image.width, height: image.height, channels: .rgb, samples: .eightBit(samples))
      // Where float32 rounds another way, a sample differs by one: about one in ten thousand.
      #expect(Image(model.decode(latents)).peakSignalToNoiseRatio(to: reference) > 80)
    }
  }
}
