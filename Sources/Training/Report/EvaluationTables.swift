import Images
import LatentFiles
import Pipelines

/// The tables about an evaluation.
struct EvaluationTables {
  let totals: EvaluationTotals

  /// A table of each picture in a model's first storage, and their mean.
  func pictures(_ index: Int) -> ReportTable {
    let model = totals.models[index]
    let stored = model.stored[0]
    var table = ReportTable(
      title: "\(model.name), \(stored.storage.rawValue): each picture",
      columns: ["bytes", "bpp", "entropy", "PSNR", "SSIM", "MS-SSIM", "pixels", "picture"],
      textColumns: [7])
    table.rows = totals.rows.map { row in
      let result = row.stored[index][0]
      return ["\(result.measured.bytes)", result.measured.bitsPerPixel.text(digits: 3)]
        + [Self.text(result.entropyBitsPerPixel, 3)]
        + Self.likeness(result.measured.psnr, result.measured.ssim, result.measured.msSsim)
        + ["\(row.width)×\(row.height)", row.input]
    }
    let means = stored.means
    table.lastRow =
      ["", Self.text(means.bitsPerPixel.value, 3), Self.text(stored.entropy.value, 3)]
      + Self.likeness(means) + ["", "mean of \(means.pictureCount)"]
    table.note = Self.missing(means)
    table.pictureColumns = ["original", "decoded", "error"]
    table.pictures = totals.rows.map { row in
      guard let original = row.thumbnail, let pair = row.thumbnails[index] else { return [] }
      return [original, pair.decoded, pair.errors]
    }
    return table
  }

  /// A table of the storages.
  func storages(_ index: Int) -> ReportTable {
    let model = totals.models[index]
    var table = ReportTable(
      title: "\(model.name): storages, means over \(model.stored[0].means.pictureCount) pictures",
      columns: ["storage", "bpp", "entropy", "PSNR", "SSIM", "MS-SSIM"], textColumns: [0])
    table.rows = model.stored.map { stored in
      [
        stored.storage.rawValue, Self.text(stored.means.bitsPerPixel.value, 3),
        Self.text(stored.entropy.value, 3),
      ] + Self.likeness(stored.means)
    }
    return table
  }

  /// A table of other codecs in files as large; nil if none were compared.
  func codecs(_ index: Int) -> ReportTable? {
    guard let png = totals.png.value else { return nil }
    let model = totals.models[index]
    var table = ReportTable(
      title: "\(model.name) beside other codecs, in files of about the same size",
      columns: ["coder", "quality", "bpp", "PSNR", "SSIM", "MS-SSIM"], textColumns: [0])
    for stored in model.stored {
      table.rows.append(
        ["\(model.name) \(stored.storage.rawValue)", ""]
          + [Self.text(stored.means.bitsPerPixel.value, 3)] + Self.likeness(stored.means))
      for (codec, beside) in zip(ReferenceCodec.allCases, stored.beside) {
        table.rows.append(
          ["  \(codec.rawValue)", Self.text(beside.quality.value, 1)]
            + [Self.text(beside.means.bitsPerPixel.value, 3)] + Self.likeness(beside.means))
        let (count, all) = (beside.means.pictureCount, stored.means.pictureCount)
        if count < all, stored.storage == model.stored[0].storage {
          table.note += "\(codec.rawValue) can hold \(count) of the \(all) pictures only. "
        }
      }
    }
    table.rows.append(["PNG", "lossless", png.text(digits: 3), "∞", "1.0000", "1.0000"])
    return table
  }

  /// A table of the latent's channels.
  func channels(_ index: Int) -> ReportTable {
    let model = totals.models[index]
    let latents = model.latents
    let hasPosterior = !model.evidence.isEmpty
    let units = latents.unitStatistics
    let shares = units?.activeShares()
    var table = ReportTable(
      title: "\(model.name): the latent's channels, the aggregate posterior",
      columns: ["channel", "mean", "std", "skewness", "kurtosis", "Var(μ)"]
        + (hasPosterior ? ["E[σ²]", "KL", "KL of all"] : []) + (shares == nil ? [] : ["active"]),
      textColumns: [])
    table.rows = latents.channels.enumerated().map { number, channel in
      let moments =
        [channel.mean, channel.standardDeviation, channel.skewness]
        + [channel.excessKurtosis, channel.varianceOfMeans]
      let divergences =
        hasPosterior ? [channel.meanVariance, channel.divergence, channel.aggregateDivergence] : []
      return ["\(number)"] + (moments + divergences).map(\.significantText)
        + (shares.map { ["\(($0[number] * 100).text(digits: 0)) %"] } ?? [])
    }
    table.note =
      "Over \(latents.positionCount) positions; active channels: \(latents.activeChannelCount) of "
      + "\(latents.channels.count)"
      + (units.map { ", active units: \($0.activeUnits()) of \($0.unitCount)." }
        ?? "; units are told apart for several pictures of one size.")
      + (hasPosterior
        ? " KL in nats a position."
        : " \(model.model.className) gives no variance: no KL and no ELBO.")
    return table
  }

  /// A table of the ELBO's terms; nil for a deterministic autoencoder.
  func evidence(_ index: Int) -> ReportTable? {
    let model = totals.models[index]
    guard let terms = model.evidenceTerms else { return nil }
    var table = ReportTable(
      title: "\(model.name): ELBO, with a normal likelihood of the best σ, "
        + "\(terms.sigma.significantText)",
      columns: ["", "ln p(x|z)", "KL", "ELBO"], textColumns: [0])
    table.rows = [
      ["nats a picture", terms.logLikelihood.text(digits: 1), terms.kl.text(digits: 1)]
        + [terms.elbo.text(digits: 1)],
      ["bits a dimension", terms.reconstructionBitsPerDimension.text(digits: 4)]
        + [terms.klBitsPerDimension.text(digits: 4), terms.bitsPerDimension.text(digits: 4)],
    ]
    table.note =
      "Nats are means over pictures; bits are what each part costs, for samples of 8 bits."
    return table
  }

  /// A sentence for each BD-rate.
  var rateDifferences: [String] {
    totals.rateDifferences.map { difference in
      let head = "BD-rate of \(difference.model) against \(difference.codec.rawValue): "
      guard let percent = difference.percent else {
        return head + "can't be computed: \(difference.reason ?? "the curves share no range")"
      }
      let sign = percent < 0 ? "−" : "+"
      return head + "\(sign)\(abs(percent).text(digits: 1)) % for the same PSNR"
    }
  }

  // MARK: Cells

  private static func text(_ number: Double?, _ digits: Int) -> String {
    guard let number else { return "—" }
    return number.isFinite ? number.text(digits: digits) : "∞"
  }

  private static func likeness(_ psnr: Double?, _ ssim: Double?, _ msSsim: Double?) -> [String] {
    [text(psnr, 2), text(ssim, 4), text(msSsim, 4)]
  }

  private static func likeness(_ means: QualityMeans) -> [String] {
    likeness(means.psnr.value, means.ssim.value, means.msSsim.value)
  }

  /// What the means leave out.
  private static func missing(_ means: QualityMeans) -> String {
    let all = means.pictureCount
    let figures = [("SSIM", means.ssim.count, "10"), ("MS-SSIM", means.msSsim.count, "160")]
    return figures.filter { $0.1 < all }.map { name, count, side in
      "\(name) is over \(count) of the \(all) pictures; the others have a side of \(side) or less."
    }.joined(separator: " ")
  }
}
