import Layers
public import Tensors

extension AutoencoderTiny {
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
    return ledger.peak + middleByteCount(pixels: height * width / (spatialFactor * spatialFactor))
  }

  /// What the layers that pool over the whole picture hold: their input and the widened map, twice.
  private func middleByteCount(pixels: Int) -> Int {
    guard configuration.useMidblockGN else { return 0 }
    let channels = configuration.decoderBlockOutChannels[0]
    return 2 * 5 * channels * pixels * MemoryLayout<Float>.stride
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
    let source = SourceStage(
      height: picture.height, width: picture.width, channels: configuration.inChannels,
      ledger: ledger
    ) { rows, window in
      window.append(try picture.read(rows).affine(scale: 0.5, offset: 0.5))
    }
    // What pools over the whole picture stands at the end, where pixels are few.
    let end = encoder.firstIndex(where: \.needsWholePicture) ?? encoder.count
    // Up to the first halving, where rows are longest.
    let halving = encoder[..<end].firstIndex(where: \.halves).map { $0 + 1 } ?? 0
    let halved = encoder[..<halving].stripes(of: source, band: band)
    let hidden = try encoder[halving..<end].stage(of: halved, band: band).wholeMap()
    let latents = ledger.isDry ? hidden : Array(encoder[end...]).run(hidden)
    return DiagonalGaussianDistribution(mean: latents, logVariance: nil)
  }

  func decode(
    _ latents: Tensor, band: BandHeight, ledger: RowLedger, write: (Tensor) throws -> Void
  ) throws {
    let start = (decoder.lastIndex(where: \.needsWholePicture) ?? -1) + 1
    let source = SourceStage(decodeStart(latents, layers: start, ledger), ledger: ledger)
    // From the last doubling on, where rows are longest.
    let doubling = decoder[start...].lastIndex(where: \.doubles) ?? decoder.endIndex
    let half = decoder[start..<doubling].stage(of: source, band: band)
    let stage = decoder[doubling...].stripes(of: half, band: band)
    let channels = configuration.decoderBlockOutChannels.last ?? 1
    let rowByteCount =
      min(stage.width, 2 * stripWidth) * channels * MemoryLayout<Float>.stride
    try stage.forEachBand(of: band.rows(byteCount: rowByteCount)) { rows, window in
      if !ledger.isDry { try write(window.tensor(rows).affine(scale: 2, offset: -1)) }
    }
  }

  /// The output of the decoder's first layers, which is small.
  private func decodeStart(_ latents: Tensor, layers count: Int, _ ledger: RowLedger) -> Tensor {
    guard ledger.isDry else {
      return decoder[..<count].run(latents.softClamped(to: configuration.latentMagnitude))
    }
    let channels = count == 0 ? latents.shape[3] : configuration.decoderBlockOutChannels[0]
    return Tensor(zeros: [1, latents.shape[1], latents.shape[2], channels])
  }
}

/// About how many columns of their input the layers of full resolution take at a time.
private let stripWidth = 1024

extension TinyLayer {
  /// Whether the result has half the rows.
  fileprivate var halves: Bool {
    if case .convolution(let conv) = self { conv.stride == 2 } else { false }
  }

  /// Whether the result has twice the rows.
  fileprivate var doubles: Bool {
    if case .upsampling = self { true } else { false }
  }

  /// How many convolutions follow one another in it.
  fileprivate var depth: Int {
    switch self {
    case .convolution: 1
    case .block(let block): block.convolutions.count
    case .upsampling, .relu: 0
    }
  }

  /// Whether no row of the result is known before all rows of the input are.
  fileprivate var needsWholePicture: Bool {
    if case .block(let block) = self { block.pool != nil } else { false }
  }
}

extension ArraySlice<TinyLayer> {
  /// ``stage(of:band:)`` in strips of columns, where the map is wide.
  fileprivate func stripes(of source: any RowStage, band: BandHeight) -> any RowStage {
    guard source.width > 3 * stripWidth / 2, !isEmpty else { return stage(of: source, band: band) }
    let depth = reduce(0) { $0 + $1.depth }
    return StripedStage(of: source, width: stripWidth, halo: (depth + 1) / 2 * 2) { strip in
      stage(of: strip, band: band)
    }
  }

  /// The last layer's stage; ``run(_:)`` in bands of rows.
  fileprivate func stage(of source: any RowStage, band: BandHeight) -> any RowStage {
    var stage = source
    var upsamples = false
    for index in indices {
      switch self[index] {
      case .convolution(let conv):
        var activation = Activation.identity
        if index + 1 < endIndex, case .relu = self[index + 1] { activation = .relu }
        stage = ConvolutionStage(
          RowConvolution(conv, upsampling: upsamples, activation: activation), of: stage,
          band: band)
        upsamples = false
      case .block(let block): stage = block.stage(of: stage, band: band)
      case .upsampling: upsamples = true
      case .relu: break
      }
    }
    return stage
  }
}

extension TinyBlock {
  fileprivate func stage(of source: any RowStage, band: BandHeight) -> any RowStage {
    let convolutions = convolutions.map { RowConvolution($0, activation: .relu) }
    let first = ConvolutionStage(convolutions[0], of: source, keepsSource: true, band: band)
    let second = ConvolutionStage(convolutions[1], of: first, band: band)
    return ConvolutionStage(convolutions[2], of: second, adding: source, band: band)
  }
}
