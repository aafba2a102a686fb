import Layers
import Tensors

/// A function whose result, a feature map `[H, W, C]`, comes in bands of rows from the top down.
///
/// A stage pulls from the stages before it what it needs, so that each row is computed once and few
/// are in memory.
protocol RowStage: AnyObject {
  /// H.
  var height: Int { get }
  /// The rows that were computed and not discarded yet.
  var output: RowWindow { get }
  /// Computes rows, until `end` is the first that is missing, or a later one is.
  func advance(to end: Int) throws
}

extension RowStage {
  var width: Int { output.width }

  /// The whole result, `[1, H, W, C]`, in the memory of ``output``; a single zero in a dry run.
  func wholeMap() throws -> Tensor {
    output.reserve(height)
    try advance(to: height)
    return output.ledger.isDry ? Tensor(zeros: [1, 1, 1, 1]) : output.wholeTensor
  }

  /// Hands all rows to `body`, band by band, and discards them.
  func forEachBand(
    of rowCount: Int, _ body: (Range<Int>, RowWindow) throws -> Void
  ) throws {
    for first in stride(from: 0, to: height, by: rowCount) {
      let rows = first..<min(first + rowCount, height)
      try advance(to: rows.upperBound)
      try body(rows, output)
      output.discard(before: rows.upperBound)
    }
  }
}

/// How high bands are.
struct BandHeight {
  /// About how many bytes a band has.
  let byteCount: Int

  /// The rows of a band: whole tiles of the Winograd kernels, of 6 rows where there is room, and of
  /// 4 too where there is much.
  func rows(byteCount rowByteCount: Int) -> Int {
    let rows = byteCount / max(rowByteCount, 1)
    return rows >= 24 ? min(rows / 12 * 12, 1 << 12) : rows >= 4 ? max(rows / 6 * 6, 6) : 4
  }
}

/// Rows that come from elsewhere: a picture, a latent, a stored map.
final class SourceStage: RowStage {
  let height: Int
  let output: RowWindow
  private let dryRead: (Range<Int>) throws -> Void
  private let read: (Range<Int>, RowWindow) throws -> Void

  /// A map of these sizes.
  ///
  /// - Parameters:
  ///   - height: H.
  ///   - width: W.
  ///   - channels: C.
  ///   - ledger: Told of what is in memory.
  ///   - dryRead: What a dry run does beside counting the rows.
  ///   - read: Adds some rows, the next ones, to a window; not called in a dry run.
  init(
    height: Int, width: Int, channels: Int, ledger: RowLedger,
    dryRead: @escaping (Range<Int>) throws -> Void = { _ in },
    read: @escaping (Range<Int>, RowWindow) throws -> Void
  ) {
    self.height = height
    self.dryRead = dryRead
    self.read = read
    output = RowWindow(width: width, channels: channels, ledger: ledger)
  }

  /// The rows of a tensor `[1, H, W, C]`.
  convenience init(_ tensor: Tensor, ledger: RowLedger) {
    self.init(
      height: tensor.shape[1], width: tensor.shape[2], channels: tensor.shape[3], ledger: ledger
    ) { rows, window in window.append(tensor, rows: rows) }
  }

  func advance(to end: Int) throws {
    let rows = output.rows.upperBound..<max(output.rows.upperBound, min(end, height))
    guard !rows.isEmpty else { return }
    if output.ledger.isDry {
      output.appendDry(rows.count)
      try dryRead(rows)
    } else {
      try read(rows, output)
    }
  }
}

/// A convolution of another stage's rows, with a residual and an activation.
final class ConvolutionStage: RowStage {
  let height: Int
  let output: RowWindow
  private let convolution: RowConvolution
  private let source: any RowStage
  private let residual: (any RowStage)?
  private let keepsSource: Bool
  private let bandRows: Int
  /// Whether a whole band is computed even if fewer rows are asked for.
  ///
  /// So it is where the resolution changes, since neighbours there have bands of other heights. Other
  /// stages compute what they are asked for, which keeps the stages of one resolution in step.
  var completesBands: Bool
  private let weights: PackedRowWeights

  /// - Parameters:
  ///   - convolution: What is computed.
  ///   - source: Its input.
  ///   - residual: What is added; its rows are discarded behind us.
  ///   - keepsSource: Whether someone else still needs the source's rows, and discards them.
  ///   - band: How many rows are computed at once.
  init(
    _ convolution: RowConvolution, of source: any RowStage, adding residual: (any RowStage)? = nil,
    keepsSource: Bool = false, band: BandHeight
  ) {
    self.convolution = convolution
    self.source = source
    self.residual = residual
    self.keepsSource = keepsSource
    height = convolution.outputHeight(source.height)
    completesBands = height != source.height
    let before = source as? ConvolutionStage
    if height > source.height { before?.completesBands = true }
    output = RowWindow(
      width: convolution.outputWidth(source.width), channels: convolution.outputChannels,
      ledger: source.output.ledger)
    // The input's bands shouldn't be larger, either: the last convolution has few channels.
    let rows = band.rows(
      byteCount: max(
        output.rowByteCount, source.output.rowByteCount * source.height / max(height, 1)))
    bandRows =
      if let before, height < source.height {
        // So many that the source is asked for just one of its bands.
        max(before.bandRows * height / source.height, 1)
      } else if height > source.height {
        // Each of two rows, the even ones and the odd, has tiles of its own, of 4 rows.
        max(rows / 8 * 8, 8)
      } else {
        rows
      }
    let (ledger, bandRows, inputWidth) = (output.ledger, bandRows, source.width)
    weights = ledger.weights(of: convolution) {
      PackedRowWeights(
        convolution, bandRows: bandRows, inputWidth: inputWidth, ledger: ledger)
    }
  }

  func advance(to end: Int) throws {
    while output.rows.upperBound < min(end, height) {
      let first = output.rows.upperBound
      // The first request has some more rows than the others: that isn't cut in two.
      let isLong = end - first > (first == 0 ? bandRows * 3 / 2 : bandRows)
      let wanted = isLong || completesBands && end - first < bandRows ? bandRows : end - first
      let multiple = convolution.rowMultiple
      let rows = first..<min(first + (wanted + multiple - 1) / multiple * multiple, height)
      let needed = convolution.inputRows(for: rows, height: source.height)
      try source.advance(to: needed.upperBound)
      try residual?.advance(to: rows.upperBound)
      output.append(
        rows.count, weights, of: source.output, height: source.height,
        residual: residual?.output)
      let next = rows.upperBound..<rows.upperBound + 1
      if !keepsSource {
        source.output.discard(
          before: rows.upperBound == height
            ? source.height
            : convolution.inputRows(for: next, height: source.height).lowerBound)
      }
      residual?.output.discard(before: rows.upperBound)
    }
  }
}

extension RowConvolution {
  /// The convolution of a layer.
  init(_ layer: Conv2d, upsampling: Bool = false, activation: Activation = .identity) {
    self.init(
      weight: layer.weight, bias: layer.bias, kind: upsampling ? .upsampling : .plain,
      stride: layer.stride, padding: layer.padding, activation: activation)
  }

  /// The convolution of an enlarging layer.
  init(_ layer: Upsample2D) {
    switch layer {
    case .nearest(let conv): self.init(conv, upsampling: true)
    case .transposed(let conv):
      self.init(
        weight: conv.weight, bias: conv.bias, kind: .transposed, stride: conv.stride,
        padding: ConvolutionPadding(conv.padding))
    }
  }
}
