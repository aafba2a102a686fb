import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

/// Against PyTorch's gradients of diffusers' models; see the README beside them for the tolerance:
/// 5e-5 of the largest number of each, twenty times what rounding explains.
@Suite(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
struct GoldenGradientTests {
  private struct Case {
    let model: AutoencoderKL
    let pictures, noise: Tensor
    let klWeight: Float

    init(_ name: String, klWeight: Float = 1e-6) throws {
      self.klWeight = klWeight
      let folder = SharedFiles.url("golden/\(name)")
      let loaded = try ImportedModel(contentsOf: folder).autoencoder()
      model = try #require(loaded as? AutoencoderKL)
      let golden = try Safetensors(contentsOf: folder.appending(path: "golden.safetensors"))
      pictures = try golden.input("x")
      noise = try golden.input("noise")
    }

    /// The loss: mean((decode(mean + σ · noise) − x)²) + weight · mean(kl).
    func loss(_ model: AutoencoderKL) -> Tensor {
      let posterior = model.encode(pictures)
      let decoded = model.decode(posterior.sample(noise: noise))
      return (decoded - pictures).squared().mean() + posterior.klDivergence().mean() * klWeight
    }
  }

  @Test(arguments: ["kl_tiny"])
  func gradientsAreThoseOfPyTorch(_ name: String) throws {
    let url = SharedFiles.url("golden/\(name)/grads.safetensors")
    let golden = try Safetensors(contentsOf: url)
    let klWeight = try #require(golden.metadata["kl_weight"].flatMap { Float($0) })
    let test = try Case(name, klWeight: klWeight)
    let (value, gradient) = valueWithGradient(at: test.model) { test.loss($0) }
    let loss = try #require(golden.metadata["loss"].flatMap { Float($0) })
    #expect(abs(value.scalars[0] - loss) <= 2e-5 * abs(loss))
    var comparison = Comparison(golden: golden, gradient: gradient)
    var model = test.model
    try model.visitParameters(at: .root, with: &comparison)
    #expect(comparison.count == gradient.paths.count)
  }

  @Test func theNumberOfThreadsDoesNotMatter() throws {
    let test = try Case("kl_tiny3")
    let results = [1, 2, 3].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        let (value, gradient) = valueWithGradient(at: test.model) { test.loss($0) }
        return [value.scalars] + gradient.paths.map { gradient[$0]?.scalars ?? [] }
      }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test func frozenParametersGetNoGradient() throws {
    let test = try Case("kl_tiny")
    let all = valueWithGradient(at: test.model) { test.loss($0) }.gradient
    let some = valueWithGradient(
      at: test.model, isTrainable: { $0.description.hasPrefix("decoder.") }
    ) { test.loss($0) }.gradient
    #expect(!some.paths.isEmpty && some.paths.count < all.paths.count)
    #expect(some.paths.allSatisfy { $0.description.hasPrefix("decoder.") })
    #expect(some.paths.allSatisfy { some[$0]?.scalars == all[$0]?.scalars })
  }

  @Test func gradientsCanBeAddedAndScaled() throws {
    let test = try Case("kl_noattn_tiny")
    let gradient = valueWithGradient(at: test.model) { test.loss($0) }.gradient
    let mean = (gradient + gradient) * 0.5
    #expect(gradient.isFinite && gradient.norm > 0)
    #expect(mean.norm == gradient.norm)
    #expect(mean.paths.allSatisfy { mean[$0]?.scalars == gradient[$0]?.scalars })
  }

  private struct Comparison: ParameterVisitor {
    let golden: Safetensors
    let gradient: Gradient
    var count = 0

    mutating func visit(
      _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
    ) throws {
      let expected = layout.fromCheckpoint(try golden.tensor(named: path.description))
      let found = try #require(gradient[path], "\(path)")
      count += 1
      if path.description.hasSuffix("to_k.bias") {
        // 0 but for rounding, as softmax doesn't change when all scores grow alike.
        #expect(found.scalars.allSatisfy { abs($0) < 1e-6 }, "\(path)")
      } else {
        #expect(relativeError(found, expected) < 5e-5, "\(path)")
      }
    }
  }
}

struct TinyGradientTests {
  /// A parameter is varied along its gradient: the loss changes by as much as the gradient says.
  @Test(arguments: [false, true])
  func theGradientOfATinyAutoencoderIsItsSlope(pools: Bool) throws {
    var configuration = AutoencoderTiny.Configuration()
    configuration.encoderBlockOutChannels = [8, 8]
    configuration.decoderBlockOutChannels = [8, 8]
    configuration.numEncoderBlocks = [1, 1]
    configuration.numDecoderBlocks = [1, 1]
    configuration.useMidblockGN = pools
    var model = AutoencoderTiny(configuration)
    var random = PhiloxRandomSource(seed: 3)
    model.randomize(using: &random)
    let pictures = sampleTensor([2, 8, 8, 3])
    func loss(_ model: AutoencoderTiny) -> Tensor {
      (model.decode(model.encode(pictures).mode) - pictures).squared().mean()
    }
    let (_, gradient) = valueWithGradient(at: model) { loss($0) }
    #expect(gradient.norm > 0)
    let step = 1e-3 / gradient.norm
    let losses = try [step, -step].map { step in
      var mover = Mover(gradient: gradient, step: Float(step))
      var moved = model
      try moved.visitParameters(at: .root, with: &mover)
      return Double(loss(moved).scalars[0])
    }
    let slope = (losses[0] - losses[1]) / (2 * step)
    #expect(abs(slope / (gradient.norm * gradient.norm) - 1) < 0.02)
  }

  private struct Mover: ParameterVisitor {
    let gradient: Gradient
    let step: Float

    mutating func visit(
      _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
    ) {
      guard let direction = gradient[path] else { return }
      parameter = parameter + direction * step
    }
  }
}
