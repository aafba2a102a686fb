import LatentFiles
package import Pipelines

/// An evaluation for a program: one object.
package struct EvaluationRecord: Encodable {
  private let images: [ImageRecord]
  private let models: [ModelRecord]
  private let codecs: [CodecRecord]
  private let pngBitsPerPixel: Double?
  private let bdRates: [EvaluationTotals.RateDifference]
  private let summary: RunSummary

  package init(_ totals: EvaluationTotals, summary: RunSummary) {
    let sigmas = totals.models.map { EvidenceSample.bestSigma(for: $0.evidence) }
    images = totals.rows.map { ImageRecord($0, totals.models, sigmas: sigmas) }
    models = totals.models.map(ModelRecord.init)
    codecs = ReferenceCodec.allCases.enumerated().compactMap { index, codec in
      let curve = zip(codec.curveQualities, totals.curves[index]).filter { $0.1.pictureCount > 0 }
      return curve.isEmpty
        ? nil : CodecRecord(codec: codec, curve: curve.map { Point(quality: $0.0, means: $0.1) })
    }
    pngBitsPerPixel = totals.png.value
    bdRates = totals.rateDifferences
    self.summary = summary
  }

  /// What a codec gives at a quality.
  private struct Point: Encodable {
    let quality: Int
    let means: QualityMeans
    enum Keys: String, CodingKey { case quality }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(quality, forKey: .quality)
      try means.encode(to: encoder)
    }
  }

  private struct CodecRecord: Encodable {
    let codec: ReferenceCodec
    let curve: [Point]
  }

  /// A codec in files as large as the latents; the mean of its qualities, or the quality.
  private struct BesideRecord<Measured: Encodable>: Encodable {
    let codec: ReferenceCodec
    let quality: Double
    let measured: Measured
    enum Keys: String, CodingKey { case codec, quality }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(codec, forKey: .codec)
      try container.encode(quality, forKey: .quality)
      try measured.encode(to: encoder)
    }
  }

  /// A latent in a storage, or the means of many.
  private struct StoredRecord<Measured: Encodable>: Encodable {
    let storage: String
    let measured: Measured
    let entropyBitsPerPixel: Double?
    let beside: [BesideRecord<Measured>]
    enum Keys: String, CodingKey { case storage, entropyBitsPerPixel, beside }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(storage, forKey: .storage)
      try container.encodeIfPresent(entropyBitsPerPixel, forKey: .entropyBitsPerPixel)
      if !beside.isEmpty { try container.encode(beside, forKey: .beside) }
      try measured.encode(to: encoder)
    }
  }

  private struct ImageRecord: Encodable {
    let input: String
    let width, height: Int
    let pngBytes: Int?
    let models: [ImageModelRecord]

    init(_ row: EvaluationTotals.Row, _ all: [EvaluationTotals.Model], sigmas: [Double?]) {
      input = row.input
      (width, height, pngBytes) = (row.width, row.height, row.pngBytes)
      var place = 0
      models = all.indices.map { index in
        let stored = row.stored[index].map { stored in
          defer { place += 1 }
          return StoredRecord(
            storage: stored.storage.rawValue, measured: stored.measured,
            entropyBitsPerPixel: stored.entropyBitsPerPixel,
            beside: row.beside.map { codec, nearest in
              let result = nearest[place]
              return BesideRecord(
                codec: codec, quality: Double(result.quality), measured: result.measured)
            })
        }
        let evidence = row.evidence[index].flatMap { sample in
          sigmas[index].map { EvidenceTerms(of: [sample], sigma: $0) }
        }
        return ImageModelRecord(model: all[index].name, stored: stored, evidence: evidence)
      }
    }
  }

  private struct ImageModelRecord: Encodable {
    let model: String
    let stored: [StoredRecord<PictureQuality>]
    let evidence: EvidenceTerms?
  }

  private struct ModelRecord: Encodable {
    let name, className, sha256: String
    let parameters: Int
    let stored: [StoredRecord<QualityMeans>]
    let evidence: EvidenceTerms?
    let latents: LatentRecord

    init(_ model: EvaluationTotals.Model) {
      name = model.name
      (className, sha256) = (model.model.className, model.model.sha256)
      parameters = model.model.parameterCount
      stored = model.stored.map { stored in
        StoredRecord(
          storage: stored.storage.rawValue, measured: stored.means,
          entropyBitsPerPixel: stored.entropy.value,
          beside: zip(ReferenceCodec.allCases, stored.beside).compactMap { codec, beside in
            beside.quality.value.map {
              BesideRecord(codec: codec, quality: $0, measured: beside.means)
            }
          })
      }
      evidence = model.evidenceTerms
      latents = LatentRecord(model)
    }
  }

  private struct LatentRecord: Encodable {
    let positions: Int
    let activeChannels: Int
    let units, activeUnits: Int?
    let channels: [ChannelRecord]

    init(_ model: EvaluationTotals.Model) {
      let latents = model.latents
      (positions, activeChannels) = (latents.positionCount, latents.activeChannelCount)
      let units = latents.unitStatistics
      self.units = units?.unitCount
      activeUnits = units?.activeUnits()
      let shares = units?.activeShares()
      channels = latents.channels.enumerated().map { index, channel in
        ChannelRecord(channel, activeShare: shares?[index], hasPosterior: !model.evidence.isEmpty)
      }
    }
  }

  private struct ChannelRecord: Encodable {
    let mean, std, varianceOfMeans, skewness, excessKurtosis: Double
    let meanVariance, kl, aggregateKl, activeShare: Double?

    init(_ channel: LatentStatistics.Channel, activeShare: Double?, hasPosterior: Bool) {
      (mean, std) = (channel.mean, channel.standardDeviation)
      varianceOfMeans = channel.varianceOfMeans
      (skewness, excessKurtosis) = (channel.skewness, channel.excessKurtosis)
      meanVariance = hasPosterior ? channel.meanVariance : nil
      kl = hasPosterior ? channel.divergence : nil
      aggregateKl = hasPosterior ? channel.aggregateDivergence : nil
      self.activeShare = activeShare
    }
  }
}
