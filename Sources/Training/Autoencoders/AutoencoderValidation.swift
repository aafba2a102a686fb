public import Images
import Models
import Tensors

/// How well an autoencoder gives back pictures that it wasn't trained with.
public struct AutoencoderValidation: Sendable {
  /// How many pictures were measured.
  public private(set) var pictureCount = 0
  /// The mean of the pictures' PSNR in decibels, in 8 bits, of what the
  /// posterior's mean, or its code, decodes to.
  public private(set) var psnr = 0.0
  /// The mean of the pictures' SSIM; nil for pictures that are too small for it.
  public private(set) var ssim: Double?
  /// The terms of the loss, with a sample of the posterior that is the same each time.
  public private(set) var objective = ObjectiveReport()
  /// What the latents are like.
  public private(set) var latents: LatentStatistics
  /// The first pictures.
  public private(set) var originals: [Image] = []
  /// What became of them.
  public private(set) var reconstructions: [Image] = []

  /// Measures the squares in the middle of the first pictures of a data set.
  init(
    of trained: TrainedAutoencoder<some Autoencoder>, objective: Objective, step: Int,
    loader: BatchLoader, pictureCount: Int, noise: PhiloxRandomSource
  ) throws {
    latents = LatentStatistics()
    let count = min(pictureCount, loader.indices.count)
    var (psnrs, ssims): ([Double], [Double]) = ([], [])
    var reports: [ObjectiveReport] = []
    for start in stride(from: 0, to: count, by: loader.settings.batchSize) {
      let range = start..<min(count, start + loader.settings.batchSize)
      let pictures = try loader.centers(range)
      let posterior = trained.model.encode(pictures)
      latents.add(posterior)
      var noise = noise.stream(UInt64(start))
      let code = trained.bottleneck(posterior, using: &noise)
      reports.append(
        objective(
          pictures: pictures, reconstructions: trained.model.decode(code.latents), code: code,
          parameters: trained.objective, step: step
        ).report)
      let decoded = trained.model.decode(trained.bottleneck(posterior, noise: nil).latents)
      for index in 0..<range.count {
        let original = Image(pictures.images(index..<index + 1))
        let reconstruction = Image(decoded.images(index..<index + 1))
        // Equal pictures would make the mean infinite.
        psnrs.append(min(100, reconstruction.peakSignalToNoiseRatio(to: original)))
        if let ssim = reconstruction.structuralSimilarity(to: original) { ssims.append(ssim) }
        if originals.count < Self.shownCount {
          originals.append(original)
          reconstructions.append(reconstruction)
        }
      }
    }
    guard !reports.isEmpty else { return }
    self.pictureCount = psnrs.count
    psnr = psnrs.reduce(0, +) / Double(psnrs.count)
    ssim = ssims.isEmpty ? nil : ssims.reduce(0, +) / Double(ssims.count)
    self.objective = ObjectiveReport(meanOf: reports)
  }

  /// The most pictures that can be shown.
  private static let shownCount = 64

  /// Pictures above what became of them, eight in a row.
  ///
  /// - Parameter count: how many.
  /// - Returns: one picture; nil if there are none.
  func grid(count: Int) -> Image? {
    let shown = min(count, originals.count)
    guard shown > 0 else { return nil }
    let columns = min(shown, 8)
    var tiles: [Image] = []
    for start in stride(from: 0, to: shown - shown % columns, by: columns) {
      tiles += originals[start..<start + columns] + reconstructions[start..<start + columns]
    }
    return ImageGrid(columnCount: columns).image(of: tiles)
  }

  /// What a log keeps of it: names begin with `validation.`.
  var values: [(name: String, value: Double)] {
    var values = [(name: "validation.psnr", value: psnr)]
    if let ssim { values.append(("validation.ssim", ssim)) }
    values += objective.values.filter { $0.name != "kl_weight" }.map {
      ("validation.\($0.name)", $0.value)
    }
    values.append(("validation.active_units", Double(latents.activeUnits())))
    values.append(("validation.units", Double(latents.unitCount)))
    for (index, channel) in latents.channels.enumerated() where !objective.klPerChannel.isEmpty {
      values.append(("validation.kl.\(index)", channel.divergence))
    }
    return values
  }
}
