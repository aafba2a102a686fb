import Foundation
import Images
import Models
import Tensors
import TestSupport
import Testing

import Training

private let python = ProcessInfo.processInfo.environment["LVAE_PYTHON"]

/// Whether that Python has what the reference needs.
private let hasReference: Bool = {
  let modules = ["pytorch_fid", "torchvision", "safetensors"]
  let search = "from importlib.util import find_spec; assert all(map(find_spec, \(modules)))"
  return python.map { (try? output(ofProgram: $0, ["-c", search])) != nil } ?? false
}()

@Suite struct InceptionFeaturesTests {
  @Test(.enabled(if: hasReference, "skipped: needs pytorch-fid and torchvision (LVAE_PYTHON)"))
  func featuresAreThoseOfPytorchFID() throws {
    let folder = try TemporaryFolder()
    let pictures = (0..<2).map { samplePicture(80, 64, seed: UInt64($0)) }
    let planes = pictures.flatMap { $0.converted(to: .rgb).tensor().channelsFirst().scalars }
    // The reference takes 0…1.
    let input = Tensor(planes.map { ($0 + 1) / 2 }, shape: [2, 3, 64, 80])
    try Data(Safetensors.encoded(tensors: [("pictures", input)]))
      .write(to: URL(filePath: folder("pictures")))
    let script = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../../Scripts/reference_inception.py").standardizedFileURL.path
    _ = try output(
      ofProgram: python ?? "",
      [script] + ["weights.safetensors", "pictures", "features"].map { folder($0) })
    let expected = try Safetensors(contentsOf: URL(filePath: folder("features")))
      .tensor(named: "features").scalars
    let inception = try InceptionFeatures(
      contentsOf: URL(filePath: folder("weights.safetensors")))
    let features = try inception.features(count: 2) { pictures[$0] }
    #expect(features.count == 2 && features.dimension == 2048)
    let scale = expected.map(abs).max() ?? 0
    for (value, expected) in zip(features.values, expected) {
      #expect(abs(value - Double(expected)) < 2e-5 * Double(scale))
    }
  }

  @Test func whatIsNoInceptionIsRefusedWithAllThatIsMissing() throws {
    let folder = try TemporaryFolder()
    let url = URL(filePath: folder("other.safetensors"))
    try Data(Safetensors.encoded(tensors: [("a", Tensor([1], shape: [1]))])).write(to: url)
    #expect {
      try InceptionFeatures(contentsOf: url)
    } throws: { error in
      "\(error)".contains("470 missing") && "\(error)".contains("Conv2d_1a_3x3.conv.weight")
    }
  }

  @Test func meansLeaveOutTheBorder() {
    let x = Tensor((1...9).map(Float.init), shape: [1, 3, 3, 1])
    #expect(x.pooled3x3(.mean, stride: 1).scalars == [3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7])
    #expect(x.pooled3x3(.greatest, stride: 1).scalars == [5, 6, 6, 8, 9, 9, 8, 9, 9])
    #expect(x.pooled3x3(.greatest, stride: 2).scalars == [9])
  }

  @Test func enlargingIsLinearBetweenPixelsAndConstantBeyondThem() {
    let x = Tensor([0, 1], shape: [1, 1, 2, 1])
    #expect(x.resizedBilinearly(height: 1, width: 4).scalars == [0, 0.25, 0.75, 1])
    #expect(x.resizedBilinearly(height: 2, width: 1).scalars == [0.5, 0.5])
  }
}
