import Layers
public import Tensors

extension AutoencoderKL {
  /// How a picture of this size is encoded or decoded in at most `byteCount` bytes.
  public func plan(
    _ direction: CodingDirection, height: Int, width: Int, byteCount: Int
  ) throws(StreamingError) -> StreamingPlan {
    var plan = StreamingPlan()
    plan.peakByteCount = workingBytesPerPixel * height * width + StreamingPlan.smallByteCount
    plan.isWhole = plan.peakByteCount <= byteCount
    if plan.isWhole { return plan }
    for bandByteCount in StreamingPlan.bandByteCounts {
      plan = StreamingPlan(bandByteCount: bandByteCount)
      rehearse(&plan, direction, height: height, width: width)
      guard plan.peakByteCount <= byteCount else { continue }
      // What is left holds feature maps.
      plan.keptByteCount = byteCount - plan.peakByteCount
      rehearse(&plan, direction, height: height, width: width)
      return plan
    }
    throw StreamingError(neededByteCount: plan.peakByteCount)
  }

  /// Runs a plan without numbers, and notes what it takes.
  private func rehearse(
    _ plan: inout StreamingPlan, _ direction: CodingDirection, height: Int, width: Int
  ) {
    let ledger = RowLedger(isDry: true)
    let rows = KLRows(self, height: height, width: width, plan: plan, ledger: ledger)
    switch direction {
    case .encode:
      _ = try? rows.encode(PictureRows(height: height, width: width) { _ in Tensor(zeros: []) })
    case .decode:
      let latents = Tensor(
        zeros: [1, height / spatialFactor, width / spatialFactor, latentChannels])
      try? rows.decode(latents) { _ in }
    }
    plan.peakByteCount = ledger.peak + StreamingPlan.smallByteCount
    plan.spilledByteCount = rows.store.spilledByteCount
  }

  /// The posterior of a picture that is read in bands of rows.
  public func encode(
    _ picture: PictureRows, following plan: StreamingPlan
  ) throws -> DiagonalGaussianDistribution {
    let rows = KLRows(self, height: picture.height, width: picture.width, plan: plan)
    return DiagonalGaussianDistribution(moments: try rows.encode(picture))
  }

  /// Decodes, and hands the picture to `write` in bands of rows.
  public func decode(
    _ latents: Tensor, following plan: StreamingPlan, write: (Tensor) throws -> Void
  ) throws {
    let rows = KLRows(
      self, height: latents.shape[1] * spatialFactor, width: latents.shape[2] * spatialFactor,
      plan: plan)
    try rows.decode(latents, write: write)
  }
}

/// One picture's way through an ``AutoencoderKL`` in bands of rows.
///
/// A group normalisation needs statistics of the whole feature map before its first result is
/// known. So the map before it is stored while the statistics are taken, then read again,
/// normalised, and taken through the layers up to the next normalisation.
private struct KLRows {
  let model: AutoencoderKL
  let band: BandHeight
  let ledger: RowLedger
  let store: MapStore
  private let groups: Int

  init(
    _ model: AutoencoderKL, height: Int, width: Int, plan: StreamingPlan,
    ledger: RowLedger = RowLedger()
  ) {
    self.model = model
    self.ledger = ledger
    band = plan.band
    groups = model.configuration.normNumGroups
    // The decoder's maps have the channels of the level below when they come to full width.
    let channels = model.configuration.blockOutChannels
    let largestRow = channels.indices.map { level in
      (width >> level) * max(channels[level], channels[min(level + 1, channels.count - 1)])
    }.max()
    store = MapStore(
      limit: plan.keptByteCount, largestRow: largestRow ?? 1, folder: plan.spillFolder,
      ledger: ledger)
  }

  // MARK: Both ways

  /// Moments `[1, h, w, 2C]`.
  func encode(_ picture: PictureRows) throws -> Tensor {
    let encoder = model.encoder
    let source = SourceStage(
      height: picture.height, width: picture.width, channels: encoder.convIn.weight.shape[2],
      ledger: ledger
    ) { rows, window in window.append(try picture.read(rows)) }
    var stage: any RowStage = convolution(RowConvolution(encoder.convIn), of: source)
    for block in encoder.downBlocks {
      stage = try levels(block.resnets, block.attentions, of: stage)
      for downsampler in block.downsamplers {
        stage = convolution(RowConvolution(downsampler.conv), of: stage)
      }
    }
    stage = try middle(encoder.midBlock, of: stage)
    stage = convolution(
      RowConvolution(encoder.convOut),
      of: normalized(try stored(stage), encoder.convNormOut, .silu))
    if let quantConv = model.quantConv { stage = convolution(RowConvolution(quantConv), of: stage) }
    return try stage.wholeMap()
  }

  func decode(_ latents: Tensor, write: (Tensor) throws -> Void) throws {
    let decoder = model.decoder
    var stage: any RowStage = SourceStage(latents, ledger: ledger)
    if let conv = model.postQuantConv { stage = convolution(RowConvolution(conv), of: stage) }
    stage = convolution(RowConvolution(decoder.convIn), of: stage)
    stage = try middle(decoder.midBlock, of: stage)
    for block in decoder.upBlocks {
      stage = try levels(block.resnets, block.attentions, of: stage)
      for upsampler in block.upsamplers {
        stage = convolution(RowConvolution(upsampler), of: stage)
      }
    }
    let map = try stored(stage)
    stage = convolution(
      RowConvolution(decoder.convOut), of: normalized(map, decoder.convNormOut, .silu))
    let rowByteCount = map.width * map.channels * MemoryLayout<Float>.stride
    try stage.forEachBand(of: band.rows(byteCount: rowByteCount)) { rows, window in
      if !ledger.isDry { try write(window.tensor(rows)) }
    }
  }

  /// The residual blocks of one resolution, each with the attention behind it.
  private func levels(
    _ resnets: [ResnetBlock2D], _ attentions: [Attention], of stage: any RowStage
  ) throws -> any RowStage {
    var stage = stage
    for (index, resnet) in resnets.enumerated() {
      stage = try block(resnet, of: stage)
      if !attentions.isEmpty { stage = try attention(attentions[index], of: stage) }
    }
    return stage
  }

  private func middle(_ middle: KLMidBlock, of stage: any RowStage) throws -> any RowStage {
    var stage = try block(middle.resnets[0], of: stage)
    for layer in middle.attentions { stage = try attention(layer, of: stage) }
    return try block(middle.resnets[1], of: stage)
  }

  // MARK: Layers

  private func convolution(
    _ convolution: RowConvolution, of stage: any RowStage, adding residual: (any RowStage)? = nil
  ) -> ConvolutionStage {
    ConvolutionStage(convolution, of: stage, adding: residual, band: band)
  }

  /// The result of a stage as a whole, with its statistics.
  private func stored(_ stage: any RowStage) throws -> FeatureMap {
    let map = FeatureMap(
      height: stage.height, width: stage.width, channels: stage.output.channels, groups: groups,
      in: store)
    let rowByteCount = stage.output.rowByteCount
    try stage.forEachBand(of: band.rows(byteCount: rowByteCount)) { rows, window in
      try map.append(rows, of: window)
    }
    return map
  }

  /// The rows of a stored map, which is given away meanwhile unless `keeping` it.
  private func rows(
    of map: FeatureMap, normalizedBy normalization: RowNormalization? = nil, keeping: Bool = false
  ) -> SourceStage {
    SourceStage(
      height: map.height, width: map.width, channels: map.channels, ledger: ledger,
      dryRead: { rows in if !keeping { map.discard(before: rows.upperBound) } }
    ) { rows, window in
      try map.read(rows, into: window, normalizedBy: normalization)
      if !keeping { map.discard(before: rows.upperBound) }
    }
  }

  private func normalized(
    _ map: FeatureMap, _ norm: GroupNorm?, _ activation: Activation, keeping: Bool = false
  ) -> SourceStage {
    rows(
      of: map, normalizedBy: norm.map { map.normalization($0.normalization(activation)) },
      keeping: keeping)
  }

  /// x + conv2(silu(norm2(conv1(silu(norm1(x)))))).
  private func block(_ block: ResnetBlock2D, of stage: any RowStage) throws -> any RowStage {
    let x = try stored(stage)
    let hidden = try stored(
      convolution(RowConvolution(block.conv1), of: normalized(x, block.norm1, .silu, keeping: true))
    )
    var residual: any RowStage = rows(of: x)
    if let shortcut = block.convShortcut {
      residual = convolution(RowConvolution(shortcut), of: residual)
    }
    return convolution(
      RowConvolution(block.conv2), of: normalized(hidden, block.norm2, .silu), adding: residual)
  }

  /// x + out(attention(norm(x))): keys and values are in memory as wholes, queries come in bands.
  private func attention(_ layer: Attention, of stage: any RowStage) throws -> any RowStage {
    let x = try stored(stage)
    let norm = layer.groupNorm
    func projection(_ linear: Linear) throws -> (stage: any RowStage, tensor: Tensor) {
      let projected = convolution(
        RowConvolution(linear), of: normalized(x, norm, .identity, keeping: true))
      return (projected, try projected.wholeMap())
    }
    let (keys, values) = (try projection(layer.toKeys), try projection(layer.toValues))
    let queries = convolution(
      RowConvolution(layer.toQueries), of: normalized(x, norm, .identity, keeping: true))
    let channels = x.channels
    let attended = SourceStage(
      height: x.height, width: x.width, channels: channels, ledger: ledger,
      dryRead: { rows in
        // The keys and values live as long as this stage.
        _ = (keys.stage, values.stage)
        try queries.advance(to: rows.upperBound)
        // The queries and their results, each as a tensor.
        ledger.note(2 * rows.count * queries.output.rowByteCount)
        queries.output.discard(before: rows.upperBound)
      }
    ) { rows, window in
      try queries.advance(to: rows.upperBound)
      let result = layer.attend(
        queries.output.tensor(rows), firstRow: rows.lowerBound, keys: keys.tensor,
        values: values.tensor)
      queries.output.discard(before: rows.upperBound)
      window.append(result)
    }
    return convolution(RowConvolution(layer.toOutput), of: attended, adding: rows(of: x))
  }
}

extension RowConvolution {
  /// A matrix product over the channels.
  fileprivate init(_ layer: Linear) {
    let shape = layer.weight.shape
    self.init(
      weight: layer.weight.reshaped(to: [1, 1, shape[0], shape[1]]), bias: layer.bias,
      padding: ConvolutionPadding(0))
  }
}
