import Foundation
import Images
import LatentFiles
import Pipelines
import TestSupport
import Testing

@Suite struct EvalCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.add("in/a.png", samplePicture(40, 24))
    try work.add("in/sub/b.jpg", samplePicture(17, 30))
    try work.add("in/sub/c.webp", samplePicture(24, 24, .rgba))
  }

  /// The object that a run prints.
  private func object(_ run: Run) throws -> [String: Any] {
    #expect(run.output.split(separator: "\n").count == 1)
    return try #require(run.records.first)
  }

  private func list(_ value: Any?) -> [[String: Any]] { value as? [[String: Any]] ?? [] }

  @Test func sizesAreThoseOfTheFilesThatEncodeWrites() throws {
    let run = try work.lvae(
      "eval", "in", "--model", "kl", "--model", "taesd", "--storage", "int8,f16", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let object = try object(run)
    let images = list(object["images"])
    #expect(images.map { $0["input"] as? String } == ["in/a.png", "in/sub/b.jpg", "in/sub/c.webp"])
    for (number, model) in ["kl", "taesd"].enumerated() {
      for (place, storage) in ["int8", "f16"].enumerated() {
        let folder = "L-\(model)-\(storage)"
        #expect(
          try work.lvae("encode", "in", "-o", folder, "--model", model, "--storage", storage).status
            == 0)
        var rates: [Double] = []
        for image in images {
          let input = try #require(image["input"] as? String)
          let stem = (input.dropFirst(3) as NSString).deletingPathExtension
          let stored = list(list(image["models"])[number]["stored"])[place]
          #expect(stored["storage"] as? String == storage)
          let bytes = try work.bytes("\(folder)/\(stem).latent").count
          #expect(stored["bytes"] as? Int == bytes)
          let pixels = try work.image(input).pixelCount
          rates.append(Double(8 * bytes) / Double(pixels))
          let png = try work.image(input).encoded(as: .png())
          #expect(image["png_bytes"] as? Int == png.count)
          #expect(list(stored["beside"]).map { $0["codec"] as? String } == ["JPEG", "WebP"])
        }
        let mean = list(list(object["models"])[number]["stored"])[place]
        let rate = try #require(mean["bits_per_pixel"] as? Double)
        #expect(abs(rate - rates.reduce(0, +) / 3) < 1e-12 && mean["pictures"] as? Int == 3)
      }
    }
    let models = list(object["models"])
    #expect(models[0]["evidence"] != nil && models[1]["evidence"] == nil)
    #expect((object["summary"] as? [String: Any])?["done"] as? Int == 3)
  }

  @Test func aPictureThatFailsIsListedAndTheOthersAreMeasured() throws {
    try work.write(Array("no picture".utf8), to: "in/bad.png")
    let run = try work.lvae("eval", "in", "--model", "kl", "--report", "pages/out.html")
    #expect(run.status == 1)
    #expect(run.errors.contains("in/bad.png") && run.errors.contains("3 evaluated, 1 failed of 4"))
    #expect(run.output.contains("mean of 3") && run.output.contains("in/sub/c.webp"))
    let page = String(decoding: try work.bytes("pages/out.html"), as: UTF8.self)
    #expect(page.hasPrefix("<!doctype html>") && page.contains("in/bad.png"))
    #expect(page.matches(of: /<img\ /).count == 9)
    #expect(work.files("pages") == ["out.html"])
  }

  @Test func whatCannotBeDoneIsToldFirst() throws {
    try work.write([1, 2, 3], to: "broken/x.png")
    for (arguments, status, message) in [
      (["eval", "nosuch"], Int32(3), "no files found"),
      (
        ["eval", "broken", "--model", "kl", "--report", "no.html"], 3, "0 evaluated, 1 failed of 1"
      ),
      (["eval", "in", "--model", "nosuch"], 3, "nosuch"),
      (["eval", "in", "--model", "kl", "--report", "in"], 3, "in"),
      (["eval", "in", "--storage", "int9"], 2, "int9"),
      (["eval", "in", "--threads", "0"], 2, "--threads 0"),
      (["eval"], 2, "inputs"),
    ] {
      let run = try work.start(arguments).result()
      #expect(run.status == status && run.errors.contains(message), "\(arguments) \(run.errors)")
      #expect(run.output.isEmpty)
    }
    #expect(!work.exists("no.html"))
  }

  @Test func threadsDontChangeTheFigures() throws {
    let runs = try ["1", "3"].map { threads in
      try work.lvae("eval", "in", "--model", "kl", "--threads", threads, "-q")
    }
    #expect(runs[0].status == 0 && runs[0].output == runs[1].output && runs[0].errors.isEmpty)
  }

  @Test func allStoragesMakeACurveWithABDRate() throws {
    for sample in SamplePicture.all where sample.name == "cat" {
      try work.write(sample.bytes, to: "photos/\(sample.name).png")
    }
    let run = try work.lvae("eval", "photos", "--storage", "all", "--json", "-q")
    let object = try object(run)
    let model = try #require(list(object["models"]).first)
    #expect(
      list(model["stored"]).map { $0["storage"] as? String }
        == LatentStorage.allCases.map(\.rawValue))
    func curve(_ points: [[String: Any]]) -> RateDistortionCurve {
      RateDistortionCurve(
        name: "",
        points: points.compactMap { point in
          guard let rate = point["bits_per_pixel"] as? Double, let psnr = point["psnr"] as? Double
          else { return nil }
          return .init(bitsPerPixel: rate, quality: psnr)
        }
      ).front
    }
    let codecs = list(object["codecs"])
    #expect(codecs.map { list($0["curve"]).count } == [9, 9])
    for (codec, difference) in zip(codecs, list(object["bd_rates"])) {
      #expect(difference["codec"] as? String == codec["codec"] as? String)
      let percent = try #require(difference["percent"] as? Double)
      let expected = curve(list(model["stored"])).rateDifference(from: curve(list(codec["curve"])))
      #expect(abs(percent - 100 * (expected ?? .nan)) < 1e-9)
    }
  }

  // MARK: Python

  private static let python = ProcessInfo.processInfo.environment["LVAE_PYTHON"] ?? "python3"

  private static let hasPython: Bool = {
    let program = "import numpy, PIL, torch, pytorch_msssim, skimage.metrics"
    return (try? output(ofProgram: "/usr/bin/env", [python, "-c", program])) != nil
  }()

  /// Prints PSNR, SSIM by pytorch-msssim and by scikit-image, and MS-SSIM.
  private static let program = """
    import sys, numpy as np, torch, pytorch_msssim as m
    from PIL import Image
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity
    a, b = (np.array(Image.open(path).convert("RGB")) for path in sys.argv[1:])
    x, y = (torch.from_numpy(i).permute(2, 0, 1)[None].double() for i in (a, b))
    print(peak_signal_noise_ratio(a, b, data_range=255),
        m.ssim(x, y, data_range=255).item(),
        structural_similarity(a, b, data_range=255, channel_axis=2, gaussian_weights=True,
            sigma=1.5, use_sample_covariance=False),
        m.ms_ssim(x, y, data_range=255).item())
    """

  @Test(
    .enabled(
      if: hasPython,
      "skipped: needs pytorch-msssim, scikit-image and Pillow (set LVAE_PYTHON to a Python)"),
    arguments: ["int8", "int4"])
  func figuresOfReconstructionsAreThoseOfPython(storage: String) throws {
    for sample in SamplePicture.all where ["cat", "coffee"].contains(sample.name) {
      try work.write(sample.bytes, to: "photos/\(sample.name).png")
    }
    let object = try object(
      work.lvae("eval", "photos", "--storage", storage, "--no-codecs", "--json", "-q"))
    #expect(object["bd_rates"] as? [String] == [] && list(object["codecs"]).isEmpty)
    #expect(try work.lvae("encode", "photos", "-o", "L", "--storage", storage).status == 0)
    #expect(try work.lvae("decode", "L", "-o", "back").status == 0)
    let images = list(object["images"])
    #expect(images.count == 2)
    for image in images {
      let input = try #require(image["input"] as? String)
      let stored = list(list(image["models"])[0]["stored"])[0]
      let found = ["psnr", "ssim", "ssim", "ms_ssim"].map { stored[$0] as? Double ?? .nan }
      let text = try output(
        ofProgram: "/usr/bin/env",
        [
          Self.python, "-c", Self.program, work(input),
          work(input.replacingOccurrences(of: "photos/", with: "back/")),
        ])
      let expected = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        .compactMap { Double($0) }
      #expect(expected.count == 4)
      for (found, expected) in zip(found, expected) {
        #expect(abs(found - expected) < 1e-4, "\(input): \(found), \(expected)")
      }
    }
  }
}
