import Layers
import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite struct BottleneckTests {
  private func settings(
    _ change: (inout BottleneckSettings) -> Void = { _ in }
  ) -> BottleneckSettings {
    var settings = BottleneckSettings()
    settings.kind = .vq
    change(&settings)
    return settings
  }

  private let book = Tensor([0, 0, 1, 1, -1, 2], shape: [3, 2])

  // MARK: Vectors

  @Test func theNearestVectorsAreChosen() {
    let x = Tensor([0.1, 0.2, 0.9, 0.7, -1, 1.4, 0.4, 0.4], shape: [1, 2, 2, 2])
    let output = VectorQuantizer(codebook: book, settings: settings())(x)
    #expect(output.quantization?.indices == [0, 1, 2, 0])
    #expect(output.latents.scalars == [0, 0, 1, 1, -1, 2, 0, 0])
    #expect(output.quantization?.usage.usedCount == 3)
    // p = ½, ¼, ¼: exp(1.5 ln 2)
    #expect(abs((output.quantization?.usage.perplexity ?? 0) - 2.828427) < 1e-6)
  }

  @Test func theNearestVectorIsThatOfAFullSearch() throws {
    let (book, x) = (sampleTensor([300, 5]), sampleTensor([2, 31, 33, 5], seed: 2))
    let output = VectorQuantizer(codebook: book, settings: settings())(x)
    let (vectors, values) = (book.scalars, x.scalars)
    let expected = stride(from: 0, to: values.count, by: 5).map { start in
      (0..<300).map { code in
        (0..<5).reduce(Float(0)) { sum, channel in
          let difference = values[start + channel] - vectors[code * 5 + channel]
          return sum + difference * difference
        }
      }
    }
    let found = try #require(output.quantization).indices
    for (index, distances) in zip(found, expected) {
      #expect(distances[index] <= (distances.min() ?? 0) + 1e-5)
    }
  }

  @Test func gradientsGoPastTheQuantiser() {
    let x = sampleTensor([1, 3, 3, 2]).tracked()
    let weights = sampleTensor([1, 3, 3, 2], seed: 2)
    let vq = VectorQuantizer(codebook: book, settings: settings())(x)
    let found = gradients(of: (vq.latents * weights).sum(), withRespectTo: [x])[0]
    #expect(found.scalars == weights.scalars)
  }

  @Test func lossesMoveEncoderAndBook() throws {
    let x = Tensor([0.5, 0.25], shape: [1, 1, 1, 2]).tracked()
    let quantizer = VectorQuantizer(
      codebook: book, settings: settings { $0.codebookUpdate = .loss })
    let (model, parameters) = quantizer.tracked { $0 == ParameterPath("codebook") }
    let output = try #require(model(x).quantization)
    let (commitment, codebook) = (
      try #require(output.commitmentLoss), try #require(output.codebookLoss)
    )
    #expect(commitment.scalars == [0.15625] && codebook.scalars == [0.15625])
    // 2(z − e)/2
    let first = gradients(of: commitment, withRespectTo: [x, parameters[0].tensor])
    #expect(first[0].scalars == [0.5, 0.25] && first[1].scalars == [0, 0, 0, 0, 0, 0])
    let second = gradients(of: codebook, withRespectTo: [x, parameters[0].tensor])
    #expect(second[0].scalars == [0, 0] && second[1].scalars == [-0.5, -0.25, 0, 0, 0, 0])
    #expect(
      VectorQuantizer(codebook: book, settings: settings())(x).quantization?.codebookLoss == nil)
  }

  @Test func runningMeansDrawTheBook() throws {
    let x = Tensor([0.4, 0, 0.2, 0.2, 1, 3], shape: [1, 1, 3, 2])
    var quantizer = VectorQuantizer(
      codebook: book,
      settings: settings {
        $0.codebookDecay = 0.5
        $0.codebookResetSteps = 0
      })
    var source = PhiloxRandomSource(seed: 1)
    let quantization = try #require(quantizer(x).quantization)
    #expect(quantization.indices == [0, 0, 1])
    quantizer.update(with: quantization, using: &source)
    // N = ½ + ½·2, m = ½·0 + ½·(0.6, 0.2)
    #expect(relativeError(Array(quantizer.codebook.scalars[0..<2]), [0.2, 0.2 / 3]) < 1e-6)
    #expect(quantizer.clusterSizes?.scalars[0] == 1.5)
    #expect(quantizer.idleSteps.scalars == [0, 0, 1])
  }

  @Test(arguments: BottleneckSettings.CodebookUpdate.allCases)
  func vectorsWithoutUseAreReplaced(update: BottleneckSettings.CodebookUpdate) throws {
    let far = Tensor([0, 0, 100, 100, -100, 100], shape: [3, 2])
    var quantizer = VectorQuantizer(
      codebook: far,
      settings: settings {
        $0.codebookUpdate = update
        $0.codebookResetSteps = 3
      })
    var source = PhiloxRandomSource(seed: 1)
    let x = sampleTensor([1, 4, 4, 2])
    for _ in 0..<2 {
      quantizer.update(with: try #require(quantizer(x).quantization), using: &source)
      #expect(quantizer.codebook.scalars[2] > 99)
    }
    quantizer.update(with: try #require(quantizer(x).quantization), using: &source)
    let rows = Set(stride(from: 0, to: 32, by: 2).map { Array(x.scalars[$0..<$0 + 2]) })
    #expect(rows.contains(Array(quantizer.codebook.scalars[2..<4])))
    #expect(rows.contains(Array(quantizer.codebook.scalars[4..<6])))
    #expect(quantizer.idleSteps.scalars == [0, 0, 0])
    #expect(try #require(quantizer(x).quantization).usage.usedCount > 1)
  }

  @Test func perplexityCountsCodes() {
    #expect(abs(CodeUsage(indices: Array(0..<8), codeCount: 16).perplexity - 8) < 1e-9)
    #expect(CodeUsage(indices: [5, 5, 5], codeCount: 16).perplexity == 1)
    #expect(CodeUsage(indices: [], codeCount: 16).perplexity == 0)
  }

  // MARK: Levels

  @Test(arguments: [[8, 5], [2, 3, 4], [7]])
  func everyCodeIsReachedAndNoOther(levels: [Int]) throws {
    let quantizer = FiniteScalarQuantizer(levels: levels)
    let count = 20_000
    let x = sampleTensor([1, 1, count, levels.count]) * 6
    let output = quantizer(x)
    let quantization = try #require(output.quantization)
    #expect(quantizer.codeCount == levels.reduce(1, *))
    #expect(Set(quantization.indices) == Set(0..<quantizer.codeCount))
    #expect(
      quantizer.latents(of: quantization.indices, shape: x.shape).scalars == output.latents.scalars)
    #expect(output.latents.scalars.allSatisfy { abs($0) <= 1 })
    let zeros = Tensor(zeros: [1, 1, 1, levels.count])
    #expect(quantizer(zeros).latents.scalars.allSatisfy { $0 == 0 })
  }

  @Test func roundingHasTheDerivativeOne() {
    let x = sampleTensor([1, 2, 2, 2]).tracked()
    let quantizer = FiniteScalarQuantizer(levels: [5, 3])
    let found = gradients(of: quantizer(x).latents.sum(), withRespectTo: [x])[0].scalars
    // odd levels: latents before rounding are (L − 1)/2·1.001/⌊L/2⌋·tanh z
    let expected = (x.detached().tanh().squared() * -1 + 1).scalars.map { $0 * 1.001 }
    #expect(relativeError(found, expected) < 1e-5)
  }

  // MARK: All kinds

  @Test func levelsForOtherChannelsAreRefused() {
    var source = PhiloxRandomSource(seed: 1)
    #expect(throws: TrainingSettingsError.self) {
      try Bottleneck(settings { $0.kind = .fsq }, latentChannels: 3, using: &source)
    }
  }

  @Test func noiseIsThatOfTheSeed() throws {
    let posterior = DiagonalGaussianDistribution(
      mean: sampleTensor([1, 2, 2, 4]), logVariance: sampleTensor([1, 2, 2, 4], seed: 2))
    var (first, second) = (PhiloxRandomSource(seed: 3), PhiloxRandomSource(seed: 3))
    let bottleneck = try Bottleneck(BottleneckSettings(), latentChannels: 4, using: &first)
    let (a, b) = (bottleneck(posterior, using: &first), bottleneck(posterior, using: &second))
    #expect(a.latents.scalars == b.latents.scalars)
    #expect(a.latents.scalars != posterior.mean.scalars)
    #expect(bottleneck(posterior, noise: nil).latents.scalars == posterior.mean.scalars)
    #expect(bottleneck(posterior, using: &first).latents.scalars != a.latents.scalars)
  }

  @Test(arguments: [1, 3])
  func threadsDoNotChangeBits(threads: Int) throws {
    func result(_ threads: Int) throws -> [Float] {
      try ThreadPool.$current.withValue(ThreadPool(threadCount: threads)) {
        var source = PhiloxRandomSource(seed: 3)
        var bottleneck = try Bottleneck(
          settings { $0.codebookSize = 100 }, latentChannels: 4, using: &source)
        let posterior = DiagonalGaussianDistribution(
          mean: sampleTensor([2, 33, 31, 4]), logVariance: nil)
        let output = bottleneck(posterior, noise: nil)
        bottleneck.update(with: output.quantization, using: &source)
        return bottleneck(posterior, noise: nil).latents.scalars
      }
    }
    #expect(try result(2) == result(threads))
  }
}
