import Foundation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Training

struct LinearAutoencoderInitializationTests {
  /// A factor of 4 and 6 channels, as it was initialised.
  private func smallModel(doubleZ: Bool = false) -> AutoencoderCompact {
    var configuration = AutoencoderCompact.Configuration()
    configuration.patchSize = 2
    configuration.encoderBlockOutChannels = [8, 8]
    configuration.decoderBlockOutChannels = [8, 8]
    configuration.encoderLayers = [1, 1]
    configuration.decoderLayers = [1, 1]
    configuration.latentChannels = 6
    configuration.doubleZ = doubleZ
    var model = AutoencoderCompact(configuration)
    var random = PhiloxRandomSource(seed: 1)
    model.initialize(using: &random)
    return model
  }

  private let pictures = (1...4).map {
    samplePicture(32, 24, .rgb, seed: UInt64($0)).tensor()
  }

  @Test(arguments: [false, true])
  func latentsHaveUnitVarianceAndNoCorrelation(doubleZ: Bool) throws {
    var model = smallModel(doubleZ: doubleZ)
    var linear = LinearAutoencoderInitialization(for: model.configuration)
    for picture in pictures { linear.add(picture) }
    #expect(linear.squareCount == 4 * 48)
    let kept = try #require(linear.apply(to: &model))
    let latents = Tensor.concatenatedImages(pictures.map { model.encode($0).mean })
      .reshaped(to: [192, 6])
    let means = latents.mean(over: 0..<1).scalars
    #expect(means.allSatisfy { abs($0) < 1e-4 })
    let covariance = (latents.transposed().matrixProduct(latents) / 192).scalars
    for row in 0..<6 {
      for column in 0..<6 {
        #expect(abs(covariance[row * 6 + column] - (row == column ? 1 : 0)) < 1e-3)
      }
    }
    // What is lost is what the other components have.
    let all = Tensor.concatenatedImages(pictures)
    let error = (model.decode(model.encode(all).mode) - all).squared().mean().scalars[0]
    let squares = all.spaceToDepth(4).reshaped(to: [192, 48])
    let means48 = squares.mean(over: 0..<1)
    let variance = (squares.squared().mean(over: 0..<1) - means48.squared()).mean().scalars[0]
    #expect(abs(Double(error / variance) - (1 - kept)) < 1e-4)
  }

  @Test func withoutSquaresTheModelStaysAsItIs() {
    var model = smallModel()
    let before = WeightCollector(model).tensors.map(\.tensor.scalars)
    #expect(LinearAutoencoderInitialization(for: model.configuration).apply(to: &model) == nil)
    #expect(WeightCollector(model).tensors.map(\.tensor.scalars) == before)
  }

  @Test func picturesOfOneColourAreKept() throws {
    var model = smallModel()
    var linear = LinearAutoencoderInitialization(for: model.configuration)
    let grey = Tensor(repeating: 0.25, shape: [1, 16, 16, 3])
    linear.add(grey)
    linear.apply(to: &model)
    let latents = model.encode(grey).mode
    #expect(latents.isFinite && relativeError(model.decode(latents), grey) < 1e-5)
  }

  @Test func picturesOfADataSetAreCutToWholeSquares() throws {
    let source = InMemoryPictures([samplePicture(35, 26), samplePicture(3, 3), samplePicture(8, 4)])
    var linear = LinearAutoencoderInitialization(for: smallModel().configuration)
    try linear.add(source, indices: [0, 1, 2])
    #expect(linear.squareCount == 8 * 6 + 2)
    #expect(throws: TrainingDataError.self) { try linear.add(source, indices: [1]) }
  }

  /// The principal components by numpy's eigenvalue solver, in double precision.
  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["LVAE_PYTHON"] != nil,
      "skipped: set LVAE_PYTHON to a Python with numpy and safetensors"))
  func componentsAreThoseOfNumpy() throws {
    var model = smallModel()
    var linear = LinearAutoencoderInitialization(for: model.configuration)
    for picture in pictures { linear.add(picture) }
    linear.apply(to: &model)
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "x.safetensors")
      let all = Tensor.concatenatedImages(pictures)
      let latents = model.encode(all).mean
      try Data(Safetensors.encoded(tensors: [("x", all), ("z", latents)])).write(to: file)
      let script = """
        import numpy as np, sys
        from safetensors.numpy import load_file
        t = load_file(sys.argv[1])
        n, h, w, c = t["x"].shape
        x = t["x"].astype(np.float64).reshape(n, h // 4, 4, w // 4, 4, c)
        x = x.transpose(0, 1, 3, 2, 4, 5).reshape(-1, 48)
        values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
        z = (x - x.mean(0)) @ vectors[:, ::-1][:, :6] / np.sqrt(values[::-1][:6])
        found = t["z"].reshape(-1, 6)
        print(max(min(abs(z[:, i] - s * found[:, i]).max() for s in (1, -1)) for i in range(6)))
        """
      let python = try #require(ProcessInfo.processInfo.environment["LVAE_PYTHON"])
      let text = try output(ofProgram: python, ["-c", script, file.path])
      let error = try #require(
        Double(
          String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)))
      #expect(error < 2e-3)
    }
  }
}
