import Foundation
import Models
import Tensors
import TestSupport
import Testing

@Suite(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
struct AutoencoderTinyTests {
  @Test(arguments: ["taesd_tiny", "taef1_tiny"])
  func outputsAreThoseOfDiffusers(_ name: String) throws {
    let folder = SharedFiles.url("golden/\(name)")
    let model = try ImportedModel(contentsOf: folder).autoencoder()
    let golden = try Safetensors(contentsOf: folder.appending(path: "golden.safetensors"))
    let latents = model.encode(try golden.input("x")).mode
    #expect(try relativeError(latents, golden.input("latents")) < 2e-5)
    #expect(try relativeError(model.decode(latents), golden.input("recon")) < 2e-5)
    let decoded = model.decode(try golden.input("z_in"))
    #expect(try relativeError(decoded, golden.input("decoded")) < 2e-5)
  }

  /// Real weights, in each form in which they are distributed.
  ///
  /// The reference was computed with PyTorch on the same weights; a float32 implementation should
  /// be within 2e-4.
  static let realWeights: [(name: String, path: String)] = [
    ("taesd", "taesd/diffusers"), ("taesd", "taesd"), ("taef1", "taef1"),
    ("taef2", "taef2/diffusers"), ("taef2", "taef2"),
  ]

  @Test(arguments: realWeights)
  func realWeightsGiveTheLatentsAndPicturesOfTheReference(
    _ weights: (name: String, path: String)
  ) throws {
    let folder = SharedFiles.url("models/taesd")
    let model = try ImportedModel(contentsOf: folder.appending(path: weights.path)).autoencoder()
    for crop in ["crop_a", "crop_b"] {
      let golden = try Safetensors(
        contentsOf: folder.appending(path: "golden/\(weights.name)_\(crop).safetensors"))
      let latents = model.encode(try golden.pixels("input_u8")).mode
      #expect(try greatestDifference(latents, golden.input("latents")) < 2e-4)
      // The reference is in 0…1.
      let picture = model.decode(try golden.input("latents")).affine(scale: 0.5, offset: 0.5)
      #expect(try greatestDifference(picture, golden.input("recon")) < 2e-4)
    }
  }

  @Test(arguments: ["taesd", "taef1", "taef2"])
  func everyLayerGivesTheActivationsOfTheReference(_ name: String) throws {
    let folder = SharedFiles.url("models/taesd")
    let imported = try ImportedModel(contentsOf: folder.appending(path: name))
    let model = try #require(try imported.autoencoder() as? AutoencoderTiny)
    let golden = try Safetensors(
      contentsOf: folder.appending(path: "golden/\(name)_trace.safetensors"))
    let input = try golden.pixels("input_u8").affine(scale: 0.5, offset: 0.5)
    for entry in golden.names where entry.hasPrefix("enc.after_layer_") {
      let index = try #require(Int(entry.dropFirst("enc.after_layer_".count)))
      let found = model.encoder[...index].run(input)
      #expect(try greatestDifference(found, golden.input(entry)) < 2e-4, "\(entry)")
    }
  }
}

extension Safetensors {
  /// 8-bit pixels `[H, W, 3]` as a picture `[1, H, W, 3]` in −1…1.
  fileprivate func pixels(_ name: String) throws -> Tensor {
    let pixels = try tensor(named: name)
    return pixels.reshaped(to: Shape([1] + pixels.shape.dimensions))
      .affine(scale: 2 / 255, offset: -1)
  }
}

private func greatestDifference(_ found: Tensor, _ expected: Tensor) -> Float {
  guard found.shape == expected.shape else { return .infinity }
  return zip(found.scalars, expected.scalars).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
