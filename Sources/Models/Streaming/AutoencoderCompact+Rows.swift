import Layers
public import Tensors

extension AutoencoderCompact {
  /// How a picture of this size is encoded or decoded in at most `byteCount` bytes.
  public func plan(
    _ direction: CodingDirection, height: Int, width: Int, byteCount: Int
  ) throws(StreamingError) -> StreamingPlan {
    try StreamingPlan(
      wholeByteCount: workingBytesPerPixel * height * width, limit: byteCount
    ) { band in
      windowPeak(direction, height: height, width: width, band)
    }
  }

  /// The most bytes that are in line buffers at once.
  private func windowPeak(
    _ direction: CodingDirection, height: Int, width: Int, _ band: BandHeight
  ) -> Int {
    let ledger = RowLedger(isDry: true)
    switch direction {
    case .encode:
      let picture = PictureRows(height: height, width: width) { _ in Tensor(zeros: []) }
      _ = try? encode(picture, band: band, ledger: ledger)
    case .decode:
      let latents = Tensor(
        zeros: [1, height / spatialFactor, width / spatialFactor, latentChannels])
      try? decode(latents, band: band, ledger: ledger) { _ in }
    }
    return ledger.peak
  }

  /// The posterior of a picture that is read in bands of rows.
  public func encode(
    _ picture: PictureRows, following plan: StreamingPlan
  ) throws -> DiagonalGaussianDistribution {
    try encode(picture, band: plan.band, ledger: RowLedger())
  }

  /// Decodes, and hands the picture to `write` in bands of rows.
  public func decode(
    _ latents: Tensor, following plan: StreamingPlan, write: (Tensor) throws -> Void
  ) throws {
    try decode(latents, band: plan.band, ledger: RowLedger(), write: write)
  }

  func encode(
    _ picture: PictureRows, band: BandHeight, ledger: RowLedger
  ) throws -> DiagonalGaussianDistribution {
    let patch = configuration.patchSize
    let linear = LinearRows(encoder, width: picture.width / spatialFactor, ledger: ledger)
    let channels = configuration.inChannels * patch * patch
    let rowByteCount = picture.width / patch * channels * MemoryLayout<Float>.stride
    let source = SourceStage(
      height: picture.height / patch, width: picture.width / patch, channels: channels,
      ledger: ledger,
      dryRead: { rows in
        // The rows of pixels, the same as squares, and a copy among those for the linear map.
        ledger.take(3 * rows.count * rowByteCount)
        linear.takeDry(rows)
        ledger.give(3 * rows.count * rowByteCount)
      },
      read: { rows, window in
        let pixels = try picture.read(rows.lowerBound * patch..<rows.upperBound * patch)
        let patches = pixels.spaceToDepth(patch)
        linear.take(patches)
        window.append(patches)
      })
    var stage: any RowStage = ConvolutionStage(
      RowConvolution(encoder.convIn, activation: .relu), of: source, band: band)
    for level in encoder.levels { stage = level.stage(of: stage, band: band) }
    let moments = try ConvolutionStage(RowConvolution(encoder.convOut), of: stage, band: band)
      .wholeMap()
    guard !ledger.isDry else {
      return DiagonalGaussianDistribution(mean: moments, logVariance: nil)
    }
    return encoder.posterior(moments, linear.wholeMap)
  }

  func decode(
    _ latents: Tensor, band: BandHeight, ledger: RowLedger, write: (Tensor) throws -> Void
  ) throws {
    let patch = configuration.patchSize
    var stage: any RowStage = ConvolutionStage(
      RowConvolution(decoder.convIn, activation: .relu),
      of: SourceStage(latents, ledger: ledger), band: band)
    for level in decoder.levels { stage = level.stage(of: stage, band: band) }
    let last = ConvolutionStage(
      RowConvolution(decoder.convOut), of: stage,
      adding: decoder.linearStage(of: latents, ledger: ledger), band: band)
    let channels = configuration.decoderBlockOutChannels.last ?? 1
    let rowByteCount = last.width * channels * MemoryLayout<Float>.stride
    try last.forEachBand(of: band.rows(byteCount: rowByteCount)) { rows, window in
      // The rows as squares and as pixels.
      let byteCount = 2 * rows.count * window.rowByteCount
      ledger.take(byteCount)
      if !ledger.isDry { try write(window.tensor(rows).depthToSpace(patch)) }
      ledger.give(byteCount)
    }
  }
}

/// What an encoder's linear map gives, from rows that come in bands of any height.
private final class LinearRows {
  private let encoder: CompactEncoder
  private let ledger: RowLedger
  /// Rows of squares that don't fill a latent row yet.
  private let pending: RowWindow
  /// Latent rows.
  private let output: RowWindow

  init(_ encoder: CompactEncoder, width: Int, ledger: RowLedger) {
    self.encoder = encoder
    self.ledger = ledger
    pending = RowWindow(
      width: width * encoder.squareSide, channels: encoder.convIn.weight.shape[2], ledger: ledger)
    output = RowWindow(width: width, channels: encoder.latentChannels, ledger: ledger)
  }

  /// Counts what ``take(_:)`` would hold.
  func takeDry(_ rows: Range<Int>) {
    guard encoder.linearShortcut != nil else { return }
    pending.appendDry(rows.count)
    let full = pending.rows.upperBound / encoder.squareSide
    output.appendDry(full - output.rows.upperBound)
    pending.discard(before: full * encoder.squareSide)
  }

  /// Takes the next rows, squares of pixels.
  func take(_ patches: Tensor) {
    guard let shortcut = encoder.linearShortcut else { return }
    pending.append(patches)
    let side = encoder.squareSide
    let full = pending.rows.upperBound / side
    guard full > output.rows.upperBound else { return }
    let rows = output.rows.upperBound * side..<full * side
    output.append(shortcut(encoder.linearInput(pending.tensor(rows))))
    pending.discard(before: full * side)
  }

  /// All latent rows; nil if there is no linear map.
  var wholeMap: Tensor? {
    encoder.linearShortcut == nil ? nil : output.tensor(output.rows)
  }
}

extension CompactDecoder {
  /// What the linear map adds, at the resolution of the last convolution; nil if there is none.
  fileprivate func linearStage(of latents: Tensor, ledger: RowLedger) -> SourceStage? {
    guard linearShortcut != nil else { return nil }
    let side = squareSide
    let (height, width) = (latents.shape[1], latents.shape[2])
    let source = RowWindow(width: width, channels: latents.shape[3], ledger: ledger)
    if ledger.isDry { source.appendDry(height) } else { source.append(latents) }
    let channels = convOut.weight.shape[3]
    let rowByteCount = side * width * channels * MemoryLayout<Float>.stride
    return SourceStage(
      height: side * height, width: side * width, channels: channels, ledger: ledger,
      dryRead: { rows in
        // The latent rows that these belong to, as the map gives them and laid out.
        let byteCount = 2 * (rows.count + 2 * side) * rowByteCount
        ledger.take(byteCount)
        ledger.give(byteCount)
      },
      read: { rows, window in
        let needed = rows.lowerBound / side..<(rows.upperBound + side - 1) / side
        guard let map = linearOutput(source.tensor(needed)) else { return }
        let first = needed.lowerBound * side
        window.append(map, rows: rows.lowerBound - first..<rows.upperBound - first)
      })
  }
}

extension CompactLevel {
  fileprivate func stage(of source: any RowStage, band: BandHeight) -> any RowStage {
    var stage = source
    for block in resnets {
      let first = ConvolutionStage(
        RowConvolution(block.conv1, activation: .relu), of: stage, keepsSource: true, band: band)
      stage = ConvolutionStage(
        RowConvolution(block.conv2, activation: .relu), of: first, adding: stage, band: band)
    }
    guard let resampler else { return stage }
    return ConvolutionStage(
      RowConvolution(resampler, upsampling: direction == .up, activation: .relu), of: stage,
      band: band)
  }
}
