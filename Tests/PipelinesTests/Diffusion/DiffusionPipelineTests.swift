import Foundation
import Images
import Models
import Pipelines
import Schedulers
import Tensors
import TestSupport
import Testing

@Suite struct DiffusionPipelineTests {
  private func pipeline(_ options: DiffusionOptions = DiffusionOptions(stepCount: 4)) throws
    -> DiffusionPipeline
  {
    try DiffusionPipeline(tinyDiffusionModel(), options: options)
  }

  @Test(arguments: [SchedulerName.dpmSolver2M, .eulerAncestral, .heun])
  func aPictureDependsOnItsNumberAndTheSeedAlone(_ scheduler: SchedulerName) throws {
    let options = DiffusionOptions(scheduler: scheduler, stepCount: 4, seed: 3)
    func pictures(_ count: Int, threads: Int) throws -> [Image.Samples] {
      try ThreadPool.$current.withValue(ThreadPool(threadCount: threads)) {
        try pipeline(options).pictures(count: count, labels: (0..<count).map { $0 % 2 })
          .map(\.samples)
      }
    }
    let many = try pictures(5, threads: 3)
    #expect(try pictures(2, threads: 1) == Array(many.prefix(2)))
    #expect(Set(many).count == 5)
    var other = options
    other.seed = 4
    #expect(try pipeline(other).pictures(count: 1, labels: [0])[0].samples != many[0])
  }

  @Test func classAndGuidanceChangeAPicture() throws {
    func picture(_ label: Int, _ guidance: Double) throws -> Image.Samples {
      let options = DiffusionOptions(stepCount: 4, guidance: guidance)
      return try pipeline(options).pictures(count: 1, labels: [label])[0].samples
    }
    let all = try [picture(0, 1), picture(1, 1), picture(0, 3), picture(1, 3)]
    #expect(Set(all).count == 4)
  }

  @Test func guidanceWorksInItsIntervalOnly() throws {
    func picture(
      _ guidance: Double, _ scheduler: SchedulerName, _ interval: ClosedRange<Double>? = nil
    ) throws -> Image.Samples {
      let options = DiffusionOptions(
        scheduler: scheduler, stepCount: 6, guidance: guidance, guidanceInterval: interval)
      return try pipeline(options).pictures(count: 1, labels: [0])[0].samples
    }
    // With either way of counting noise, σ is noise ÷ signal.
    for scheduler in [SchedulerName.ddim, .euler] {
      let (plain, guided) = (try picture(1, scheduler), try picture(3, scheduler))
      #expect(try picture(3, scheduler, 0...1e9) == guided)
      #expect(try picture(3, scheduler, 1e8...1e9) == plain)
      let some = try picture(3, scheduler, 0.3...3)
      #expect(some != plain && some != guided)
    }
  }

  /// ê = e₀ + w·(e − e₀), with the two estimates made apart.
  @Test func guidanceIsTheFormulaOfHoAndSalimans() throws {
    let model = try tinyDiffusionModel()
    let scheduler = try SchedulerName.ddim.configuration(forModelTrainedWith: model.scheduler)
      .scheduler()
    let noise = sampleTensor([1, 6, 8, 4])
    let sampler = LatentSampler(
      model.denoiser, scheduler: scheduler, stepCount: 1,
      guidance: .init(scale: 2.5, nullLabel: 2))
    let found = try #require(try sampler.latents(from: noise, labels: [1], further: { noise }))
    var sampling = try scheduler.start(steps: 1)
    let step = sampling.steps[0]
    let timesteps = [Float(step.timestep)]
    let conditional = model.denoiser(noise, timesteps: timesteps, labels: [1])
    let none = model.denoiser(noise, timesteps: timesteps, labels: [2])
    let guided = none + (conditional - none) * 2.5
    let expected = sampling.step(guided, at: step, sample: noise, noise: { noise }).previousSample
    #expect(relativeError(found, expected) < 1e-4)
  }

  @Test func aSizeThatTheDenoiserCannotTakeIsRefused() throws {
    #expect(throws: DiffusionError.size(width: 20, height: 24, multiple: 8)) {
      try pipeline(DiffusionOptions(size: (6, 5)))
    }
    #expect(throws: SchedulerError.self) { try pipeline(DiffusionOptions(stepCount: 1001)) }
    let larger = try pipeline(DiffusionOptions(stepCount: 2, size: (8, 12)))
      .pictures(count: 1, labels: [0])[0]
    #expect(larger.width == 48 && larger.height == 32)
  }

  @Test func classesAreFoundByNameAndNumber() throws {
    let model = try tinyDiffusionModel(classNames: ["cat", "0"])
    #expect(try model.label(named: "cat") == 0 && model.label(named: "0") == 1)
    #expect(try model.label(named: "1") == 1)
    let error = #expect(throws: DiffusionError.self) { try model.label(named: "cow") }
    #expect(error?.description.contains("cat, 0") == true)
    #expect(throws: DiffusionError.noClasses(model: "tiny-kl")) {
      try tinyDiffusionModel(classNames: []).label(named: "0")
    }
  }

  @Test func aDenoiserOfAnotherAutoencoderIsRefused() throws {
    let folder = try TemporaryFolder()
    let url = URL(filePath: folder("m"))
    try tinyDiffusionModel().save(to: url)
    try tinyAutoencoderKL(seed: 2).save(to: url.appending(path: "vae"))
    let error = #expect(throws: LatentDiffusionError.self) {
      try LatentDiffusionModel(contentsOf: url)
    }
    #expect(error?.description.contains("was trained on latents of an autoencoder") == true)
  }

  // MARK: Changing pictures

  @Test func strengthIsHowMuchOfAPictureIsLost() throws {
    let pipeline = try pipeline(DiffusionOptions(stepCount: 10))
    let original = samplePicture(32, 24)
    func drawing(_ strength: Double) throws -> Tensor {
      let start = try pipeline.start(from: original, strength: strength)
      return try #require(
        try pipeline.drawing(from: pipeline.noise(ofPicture: 0), label: 0, start: start)
      ).latents
    }
    let codec = LatentCodec(pipeline.model.autoencoder)
    let latents = try codec.latents(of: original)
    let errors = try [0, 0.3, 1].map { relativeError(try drawing($0), latents) }
    #expect(errors[0] < 1e-5 && errors[0] < errors[1] && errors[1] < errors[2])
  }

  @Test func whatTheMaskKeepsComesBackByteForByte() throws {
    let pipeline = try pipeline()
    let original = samplePicture(32, 24)
    // The right half is drawn anew.
    let mask = Image(
      width: 32, height: 24, channels: .grey,
      samples: .eightBit((0..<32 * 24).map { $0 % 32 >= 16 ? 255 : 0 }))
    let start = try pipeline.start(from: original, strength: 1, mask: mask)
    let drawing = try #require(
      try pipeline.drawing(from: pipeline.noise(ofPicture: 1), label: 1, start: start))
    func half(_ image: Image, _ x: Int) -> Image.Samples {
      image.cropped(x: x, y: 0, width: 16, height: 24).samples
    }
    #expect(half(drawing.image, 0) == half(original, 0))
    #expect(half(drawing.image, 16) != half(original, 16))
    // The latents of what is kept are the picture's own in the end.
    let latents = try LatentCodec(pipeline.model.autoencoder).latents(of: original)
    var sum: Float = 0
    let (a, b) = (drawing.latents.scalars, latents.scalars)
    for row in 0..<6 {
      for index in row * 32..<row * 32 + 16 { sum = max(sum, abs(a[index] - b[index])) }
    }
    #expect(sum < 1e-4)
  }

  @Test func theNewPictureFadesInInsideTheMaskOnly() {
    let mask = PictureMask(
      Image(
        width: 8, height: 1, channels: .grey,
        samples: .eightBit([0, 0, 255, 255, 255, 255, 255, 127])), feather: 2)
    let black = Image(
      width: 8, height: 1, channels: .rgb, samples: .eightBit([UInt8](repeating: 0, count: 24)))
    let white = Image(
      width: 8, height: 1, channels: .rgb, samples: .eightBit([UInt8](repeating: 255, count: 24)))
    let composed = mask.composed(black, with: white)
    guard case .eightBit(let samples) = composed.samples else { return }
    #expect(stride(from: 0, to: 24, by: 3).map { samples[$0] } == [0, 0, 85, 170, 255, 170, 85, 0])
  }

  @Test func aStripEndsWithThePicture() throws {
    let pipeline = try pipeline()
    let drawing = try #require(
      try pipeline.drawing(from: pipeline.noise(ofPicture: 0), label: 0, keepingPreviews: true))
    #expect(drawing.previews.count == 4)
    let strip = drawing.strip(columnCount: 4)
    #expect(strip.width == 4 * 34 + 2 && strip.height == 28)
    let last = strip.cropped(x: 2 + 3 * 34, y: 2, width: 32, height: 24)
    #expect(last.samples == drawing.image.samples)
  }
}
