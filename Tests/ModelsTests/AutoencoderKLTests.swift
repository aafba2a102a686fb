import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

/// Against diffusers' outputs; see the README beside them for the tolerance: 2e-5 of the largest
/// value, ten times what rounding explains.
@Suite(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
struct AutoencoderKLTests {
  static let names = ["kl_tiny", "kl_tiny3", "kl_sd3_tiny", "kl_noattn_tiny"]

  @Test(arguments: names)
  func momentsAreThoseOfDiffusers(_ name: String) throws {
    let (model, golden) = try load(name)
    let posterior = model.encode(try golden.input("x"))
    #expect(try relativeError(posterior.mean, golden.input("mean")) < 2e-5)
    let logVariance = try #require(posterior.logVariance)
    let standardDeviation = try #require(posterior.standardDeviation)
    #expect(try relativeError(logVariance, golden.input("logvar")) < 2e-5)
    #expect(try relativeError(standardDeviation, golden.input("std")) < 2e-5)
    #expect(try relativeError(#require(posterior.moments), golden.input("moments")) < 2e-5)
    #expect(try relativeError(posterior.klDivergence(), golden.tensor(named: "kl")) < 2e-5)
    let sample = posterior.sample(noise: try golden.input("noise"))
    #expect(try relativeError(sample, golden.input("z")) < 2e-5)
  }

  @Test(arguments: names)
  func picturesAreThoseOfDiffusers(_ name: String) throws {
    let (model, golden) = try load(name)
    for (latent, picture) in [("z_in", "decoded"), ("z", "recon_z"), ("mean", "recon_mean")] {
      let decoded = model.decode(try golden.input(latent))
      #expect(try relativeError(decoded, golden.input(picture)) < 2e-5, "\(picture)")
    }
  }

  @Test func sidesThatTheFactorDoesNotDivideAreRoundedDown() throws {
    let (model, golden) = try load("kl_tiny")
    let mean = model.encode(try golden.input("x_odd")).mean
    #expect(mean.shape == [1, 18, 25, 4])
    #expect(try relativeError(mean, golden.input("mean_odd")) < 2e-5)
  }

  @Test func everyStageGivesTheActivationsOfDiffusers() throws {
    let (model, golden) = try load("kl_tiny")
    let encoder = model.encoder
    let down = encoder.downBlocks[0](encoder.convIn(try golden.input("x")))
    #expect(try relativeError(down, golden.input("act.encoder.down_blocks.0")) < 2e-5)
    let middle = encoder.midBlock(encoder.downBlocks[1](down))
    #expect(try relativeError(middle, golden.input("act.encoder.mid_block")) < 2e-5)
    let resnet = encoder.midBlock.resnets[0](encoder.downBlocks[1](down))
    let attended = encoder.midBlock.attentions[0](resnet)
    #expect(
      try relativeError(attended, golden.input("act.encoder.mid_block.attentions.0")) < 2e-5)

    let decoder = model.decoder
    let postQuantConv = try #require(model.postQuantConv)
    let coarse = decoder.midBlock(decoder.convIn(postQuantConv(try golden.input("z"))))
    #expect(try relativeError(coarse, golden.input("act.decoder.mid_block")) < 2e-5)
    let up = decoder.upBlocks[0](coarse)
    #expect(try relativeError(up, golden.input("act.decoder.up_blocks.0")) < 2e-5)
  }

  @Test func theNumberOfThreadsDoesNotMatter() throws {
    let (model, golden) = try load("kl_tiny3")
    let x = try golden.input("x")
    let results = [1, 2, 3, 5].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        model.decode(model.encode(x).mode).scalars
      }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  private func load(_ name: String) throws -> (AutoencoderKL, Safetensors) {
    let folder = SharedFiles.url("golden/\(name)")
    let model = try ImportedModel(contentsOf: folder).autoencoder()
    let golden = try Safetensors(contentsOf: folder.appending(path: "golden.safetensors"))
    return (try #require(model as? AutoencoderKL), golden)
  }
}
