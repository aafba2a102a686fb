public import Images
public import LatentFiles
public import Pipelines

/// What the evaluations of many pictures say together, and a row for each; of the pictures
/// themselves nothing is kept but thumbnails.
public struct EvaluationTotals: Sendable {
  /// One autoencoder.
  public struct Model: Sendable {
    /// What it is called among the others.
    public let name: String
    /// Its class, weights and scaling.
    public let model: PretrainedAutoencoder
    /// The means of each storage.
    public internal(set) var stored: [Stored]
    /// What its latents are like.
    public internal(set) var latents = LatentSummary()
    /// For the ELBO: a number for each picture, none for a deterministic autoencoder.
    public internal(set) var evidence: [EvidenceSample] = []

    /// The ELBO's terms; nil for a deterministic autoencoder.
    public var evidenceTerms: EvidenceTerms? {
      EvidenceSample.bestSigma(for: evidence).map { EvidenceTerms(of: evidence, sigma: $0) }
    }
  }

  /// The means of an autoencoder's latents in one storage.
  public struct Stored: Sendable {
    /// How latents are stored.
    public let storage: LatentStorage
    /// Size and likeness.
    public internal(set) var means = QualityMeans()
    /// The codes' entropy in bits a pixel; nothing for floating-point storage.
    public internal(set) var entropy = Mean()
    /// The other codecs in files as large as these, in the order of `ReferenceCodec.allCases`.
    public internal(set) var beside = ReferenceCodec.allCases.map { _ in Beside() }
  }

  /// A codec in files as large as others.
  public struct Beside: Sendable {
    /// The setting.
    public internal(set) var quality = Mean()
    /// Size and likeness.
    public internal(set) var means = QualityMeans()
  }

  /// What a picture gave.
  public struct Row: Sendable {
    /// The picture's path.
    public let input: String
    /// Columns of the picture.
    public let width: Int
    /// Rows of the picture.
    public let height: Int
    /// By model, then by storage.
    public let stored: [[PictureEvaluation.Stored]]
    /// For the ELBO, by model.
    public let evidence: [EvidenceSample?]
    /// By codec, then as in ``stored``, flat.
    public let beside: [(codec: ReferenceCodec, nearest: [CodecComparison.Result])]
    /// The size as a PNG file.
    public let pngBytes: Int?
    /// The picture, small; nil where no pictures are shown.
    public let thumbnail: [UInt8]?
    /// What became of it, by model.
    public let thumbnails: [PictureEvaluation.Thumbnails?]
  }

  /// In the evaluator's order.
  public private(set) var models: [Model]
  /// In the order in which the pictures were added.
  public private(set) var rows: [Row] = []
  /// The curve of each codec, by quality, in the order of `ReferenceCodec.allCases`.
  public private(set) var curves = ReferenceCodec.allCases.map { codec in
    codec.curveQualities.map { _ in QualityMeans() }
  }
  /// Bits a pixel of PNG files.
  public private(set) var png = Mean()

  /// Totals of nothing yet.
  public init(for evaluator: PictureEvaluator) {
    var names: [String: Int] = [:]
    models = evaluator.codecs.map { codec in
      names[codec.model.name, default: 0] += 1
      let number = names[codec.model.name, default: 1]
      return Model(
        name: number == 1 ? codec.model.name : "\(codec.model.name) (\(number))",
        model: codec.model, stored: evaluator.storages.map { Stored(storage: $0) })
    }
  }

  /// Takes in a picture.
  public mutating func add(_ picture: PictureEvaluation, input: String) {
    for (index, result) in picture.models.enumerated() {
      models[index].latents.add(result.posterior)
      if let evidence = result.evidence { models[index].evidence.append(evidence) }
      for (place, stored) in result.stored.enumerated() {
        models[index].stored[place].means.add(stored.measured)
        models[index].stored[place].entropy.add(stored.entropyBitsPerPixel)
      }
    }
    for comparison in picture.comparisons { add(comparison) }
    png.add(picture.pngBytes.map { Double(8 * $0) / Double(picture.width * picture.height) })
    rows.append(
      Row(
        input: input, width: picture.width, height: picture.height,
        stored: picture.models.map(\.stored), evidence: picture.models.map(\.evidence),
        beside: picture.comparisons.map { ($0.codec, $0.nearest) }, pngBytes: picture.pngBytes,
        thumbnail: picture.thumbnail, thumbnails: picture.models.map(\.thumbnails)))
  }

  private mutating func add(_ comparison: CodecComparison) {
    guard let codec = ReferenceCodec.allCases.firstIndex(of: comparison.codec) else { return }
    for (place, result) in comparison.curve.enumerated() {
      curves[codec][place].add(result.measured)
    }
    var results = comparison.nearest.makeIterator()
    for index in models.indices {
      for place in models[index].stored.indices {
        guard let result = results.next() else { return }
        models[index].stored[place].beside[codec].quality.add(Double(result.quality))
        models[index].stored[place].beside[codec].means.add(result.measured)
      }
    }
  }
}

// MARK: Rate and distortion

extension EvaluationTotals {
  /// The curve of an autoencoder over its storages, through the means of a figure.
  public func curve(
    of model: Model, _ figure: KeyPath<QualityMeans, Mean>
  ) -> RateDistortionCurve {
    RateDistortionCurve(
      name: model.name, points: model.stored.compactMap { $0.means.point(figure) })
  }

  /// The curve of a codec over its qualities; without points if codecs weren't compared.
  public func curve(
    of codec: ReferenceCodec, _ figure: KeyPath<QualityMeans, Mean>
  ) -> RateDistortionCurve {
    let means = zip(ReferenceCodec.allCases, curves).first { $0.0 == codec }?.1 ?? []
    return RateDistortionCurve(name: codec.rawValue, points: means.compactMap { $0.point(figure) })
  }

  /// How much more or less rate than a codec's an autoencoder needs for the same PSNR.
  public struct RateDifference: Sendable, Encodable {
    /// The autoencoder.
    public let model: String
    /// The codec.
    public let codec: ReferenceCodec
    /// The BD-rate in percent: −10 is a tenth less.
    public let percent: Double?
    /// Why it can't be computed.
    public let reason: String?
  }

  /// So many points are needed for a BD-rate: Bjøntegaard's (VCEG-M33) has four.
  private static let leastPointCount = 4

  /// The BD-rates of all autoencoders against all codecs; see
  /// `RateDistortionCurve.rateDifference(from:)`.
  public var rateDifferences: [RateDifference] {
    guard png.count > 0 else { return [] }
    return models.flatMap { model in
      ReferenceCodec.allCases.map { codec in
        difference(
          of: model, from: codec, curve(of: model, \.psnr).front, curve(of: codec, \.psnr).front)
      }
    }
  }

  private func difference(
    of model: Model, from codec: ReferenceCodec, _ own: RateDistortionCurve,
    _ other: RateDistortionCurve
  ) -> RateDifference {
    let count = own.pointCount(withinRangeOf: other)
    if count >= Self.leastPointCount, let part = own.rateDifference(from: other) {
      return RateDifference(model: model.name, codec: codec, percent: 100 * part, reason: nil)
    }
    func range(_ curve: RateDistortionCurve) -> String {
      guard let low = curve.points.first?.quality, let high = curve.points.last?.quality else {
        return "no points"
      }
      return low == high
        ? "\(low.text(digits: 1)) dB" : "\(low.text(digits: 1))–\(high.text(digits: 1)) dB"
    }
    let reason =
      "\(model.name) has \(count) point\(count == 1 ? "" : "s") with a PSNR that \(codec.rawValue) "
      + "has too, and \(Self.leastPointCount) are needed (\(model.name): \(range(own)), "
      + "\(codec.rawValue): \(range(other)))"
      + (own.points.count < Self.leastPointCount ? "; see --storage all" : "")
    return RateDifference(model: model.name, codec: codec, percent: nil, reason: reason)
  }
}
