import ArgumentParser
import Foundation
import Images
import LatentFiles
import Pipelines
import Tensors

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Encode and decode sample pictures, and draw new ones, with the built-in models.",
    discussion: """
      Six pictures that are part of the program, four photographs and two drawings, become .latent \
      files and pictures again. All of it is written to a folder, with side-by-side.png, where the \
      originals stand above what was decoded. Then new pictures are drawn from noise: drawn.png is \
      what `lvae diffuse-sample` makes of the same seed.
      """)

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The folder for the pictures and .latent files.", valueName: "folder"))
  var output = "lvae-demo"

  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var runOptions: RunOptions

  func run() throws {
    try runOptions.withThreads { try compute() }
  }

  /// What became of a sample.
  private struct Row: Encodable {
    let name: String
    let width, height, sourceBytes, latentBytes: Int
    let ratio, bitsPerPixel, psnr: Double
  }

  private func compute() throws {
    let codec = LatentCodec(try ModelStore().load(modelOptions.model))
    let folder = URL(filePath: output, directoryHint: .isDirectory)
    let folders = OutputFolders()
    func write(_ bytes: [UInt8], to name: String) throws {
      try folders.write(bytes, to: folder.appending(path: name).path)
    }
    var rows: [Row] = []
    var originals: [Image] = []
    var decodings: [Image] = []
    let start = ContinuousClock.now
    for sample in SamplePicture.all {
      let original = try sample.image()
      let latent = try codec.encode(
        original, sourceSHA256: SHA256.hexadecimal(of: sample.bytes)
      ).encoded()
      let decoded = try codec.decode(try LatentFile(decoding: latent))
      try write(sample.bytes, to: "originals/\(sample.name).png")
      try write(latent, to: "latents/\(sample.name).latent")
      try write(try decoded.encoded(as: .png()), to: "decoded/\(sample.name).png")
      originals.append(original)
      decodings.append(decoded)
      rows.append(row(sample, original, decoded, latentBytes: latent.count))
    }
    let grid = ImageGrid(columnCount: originals.count).image(of: originals + decodings)
    try write(try grid.encoded(as: .png()), to: "side-by-side.png")
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    try write(try drawing().encoded(as: .png()), to: "drawn.png")
    try folders.finish()
    if runOptions.json {
      for row in rows { print(try JSONLines.line(row)) }
    } else if !runOptions.quiet {
      show(rows, codec.model, seconds: seconds)
    }
  }

  /// A grid of new pictures, of all classes in turn.
  private func drawing() throws -> Image {
    let model = try DiffusionModels.load(nil)
    let count = 4 * model.classNames.count
    let pipeline = try DiffusionPipeline(model, options: DiffusionOptions())
    let pictures = try pipeline.pictures(count: count, labels: model.labelsInTurn(count: count))
    return ImageGrid(columnCount: model.classNames.count).image(of: pictures)
  }

  private func row(
    _ sample: SamplePicture, _ original: Image, _ decoded: Image, latentBytes: Int
  ) -> Row {
    Row(
      name: sample.name, width: original.width, height: original.height,
      sourceBytes: sample.bytes.count, latentBytes: latentBytes,
      ratio: Double(sample.bytes.count) / Double(latentBytes),
      bitsPerPixel: Double(8 * latentBytes) / Double(original.pixelCount),
      psnr: decoded.overWhite.peakSignalToNoiseRatio(to: original.overWhite))
  }

  // MARK: Telling

  private func show(_ rows: [Row], _ model: PretrainedAutoencoder, seconds: Double) {
    func line(_ columns: [String]) -> String {
      let widths = [11, 9, 12, 14, 7, 7, 9]
      return zip(columns, widths).enumerated().map { index, column in
        let space = String(repeating: " ", count: max(0, column.1 - column.0.count))
        return index == 0 ? column.0 + space : space + column.0
      }.joined()
    }
    print(
      line(["picture", "pixels", "PNG bytes", "latent bytes", "ratio", "bpp", "PSNR"]))
    for row in rows {
      print(
        line([
          row.name, "\(row.width)×\(row.height)", "\(row.sourceBytes)", "\(row.latentBytes)",
          row.ratio.text(digits: 1), row.bitsPerPixel.text(digits: 2),
          row.psnr.text(digits: 1) + " dB",
        ]))
    }
    print(
      """

      with \(model.name), \(model.parameterCount) parameters, in \(seconds.text(digits: 1)) s \
      (threads: \(ThreadPool.current.threadCount))
      Look at \(output)/side-by-side.png: the originals above, the decoded below;
      and at \(output)/drawn.png: new pictures from noise, by `lvae diffuse-sample -n 24`.

      Next, with your own pictures:
        lvae encode PICTURES -o latents       a folder, a file, or several
        lvae decode latents -o pictures
        lvae verify latents --source PICTURES
        lvae inspect \(output)/latents/cat.latent
        lvae models                           other models
      """)
  }
}

extension Image {
  /// The picture in colour and 8 bits, over white where it is transparent.
  fileprivate var overWhite: Image {
    eightBit().flattened(red: 255, green: 255, blue: 255).converted(to: .rgb)
  }
}
