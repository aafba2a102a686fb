public import Layers
import Synchronization
public import Tensors

/// The bottleneck of VQ-VAE: each position's vector is replaced by the nearest of a book.
///
/// Van den Oord, Vinyals and Kavukcuoglu 2017, "Neural discrete representation learning",
/// arXiv:1711.00937. Gradients go past it as if it did nothing. The book learns by running means
/// (appendix A.1) or by a loss (equation 3).
public struct VectorQuantizer: ParameterContainer {
  /// e, `[K, C]`.
  public private(set) var codebook: Tensor
  /// How many positions chose each vector: running means, `[K]`; nil if the book learns by a loss.
  public private(set) var clusterSizes: Tensor?
  /// The sums of what chose each vector: running means, `[K, C]`; nil if the book learns by a loss.
  public private(set) var clusterSums: Tensor?
  /// For how many updates each vector has not been chosen, `[K]`.
  public private(set) var idleSteps: Tensor
  /// How much of the running means an update keeps.
  public let decay: Double
  /// After how many updates without use a vector is replaced; 0 for never.
  public let resetSteps: Int

  /// A quantiser whose vectors are uniform in ±1/K.
  ///
  /// - Parameters:
  ///   - settings: the book's size, and how it learns.
  ///   - channels: C.
  ///   - source: gives the vectors.
  public init(
    _ settings: BottleneckSettings, channels: Int, using source: inout some RandomSource
  ) {
    let size = settings.codebookSize
    let book = Tensor.randomUniform(shape: [size, channels], using: &source)
    self.init(
      codebook: book.affine(scale: 2 / Float(size), offset: -1 / Float(size)), settings: settings)
  }

  /// A quantiser with a given book.
  ///
  /// - Parameters:
  ///   - codebook: `[K, C]`.
  ///   - settings: how it learns.
  public init(codebook: Tensor, settings: BottleneckSettings) {
    precondition(codebook.shape.rank == 2, "a codebook of \(codebook.shape)")
    self.codebook = codebook
    idleSteps = Tensor(zeros: [codebook.shape[0]])
    decay = settings.codebookDecay
    resetSteps = settings.codebookResetSteps
    if settings.codebookUpdate == .ema {
      clusterSizes = Tensor(repeating: 1, shape: [codebook.shape[0]])
      clusterSums = codebook
    }
  }

  /// The nearest vectors.
  ///
  /// - Parameter x: z, `[N, h, w, C]`.
  /// - Returns: latents of the same shape that are vectors of the book, with the gradient of z; the
  ///   codes; and the losses, means over all numbers of z.
  /// - Precondition: the channels agree.
  public func callAsFunction(_ x: Tensor) -> BottleneckOutput {
    let channels = codebook.shape[1]
    precondition(x.shape[-1] == channels, "\(x.shape) for a book of \(codebook.shape)")
    let rows = x.detached().reshaped(to: [x.shape.scalarCount / channels, channels])
    let indices = nearest(to: rows)
    let book = clusterSizes == nil ? codebook : codebook.detached()
    let chosen = book.rows(indices).reshaped(to: x.shape)
    let quantization = Quantization(
      indices: indices, codeCount: codebook.shape[0],
      commitmentLoss: (x - chosen.detached()).squared().mean(),
      codebookLoss: clusterSizes == nil ? (x.detached() - chosen).squared().mean() : nil,
      inputs: rows)
    return BottleneckOutput(quantization, latents: chosen.straightThrough(to: x))
  }

  /// The latents of codes.
  ///
  /// - Parameters:
  ///   - indices: a code for each position.
  ///   - shape: `[N, h, w, C]`.
  /// - Returns: latents of this shape.
  public func latents(of indices: [Int], shape: Shape) -> Tensor {
    codebook.detached().rows(indices).reshaped(to: shape)
  }

  /// The vector nearest to each row of `[M, C]`; of equals the first.
  ///
  /// ‖z − e‖² is the least where ‖e‖² − 2z·e is.
  private func nearest(to rows: Tensor) -> [Int] {
    let book = codebook.detached()
    let count = book.shape[0]
    let norms = book.squared().sum(over: 1..<2).reshaped(to: [count])
    let directions = book.transposed()
    let factors = Tensor(repeating: -2, shape: [count])
    let total = rows.shape[0]
    // Some megabytes of scores at a time.
    let step = max(64, (1 << 20) / count)
    return stride(from: 0, to: total, by: step).flatMap { start in
      rows.images(start..<min(start + step, total)).matrixProduct(directions)
        .affineChannels(scale: factors, offset: norms).leastOfEachRow()
    }
  }

  /// Takes in a step: the running means, and vectors that were not chosen for too long.
  ///
  /// N ← γN + (1 − γ)n, m ← γm + (1 − γ)Σz, e = m/N. A vector without use for ``resetSteps`` updates
  /// becomes what the encoder gave at a random place.
  ///
  /// - Parameters:
  ///   - quantization: what this quantiser made of a batch.
  ///   - source: chooses the places.
  public mutating func update(
    with quantization: Quantization, using source: inout some RandomSource
  ) {
    guard let inputs = quantization.inputs, !quantization.indices.isEmpty else { return }
    var state = BookState(self)
    state.count(quantization.indices)
    if clusterSizes != nil { state.average(inputs, quantization.indices, decay: decay) }
    if resetSteps > 0 { state.reset(after: resetSteps, with: inputs, using: &source) }
    codebook = Tensor(state.book, shape: codebook.shape)
    idleSteps = Tensor(state.idle, shape: idleSteps.shape)
    if clusterSizes != nil {
      clusterSizes = Tensor(state.sizes, shape: idleSteps.shape)
      clusterSums = Tensor(state.sums, shape: codebook.shape)
    }
  }

  /// Shows each parameter to `visitor`, under its name below `path`; gradients reach `codebook` only,
  /// and only if it learns by a loss.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try visitor.visit(&codebook, at: path / "codebook", layout: .unchanged)
    if var sizes = clusterSizes, var sums = clusterSums {
      try visitor.visit(&sizes, at: path / "cluster_sizes", layout: .unchanged)
      try visitor.visit(&sums, at: path / "cluster_sums", layout: .unchanged)
      (clusterSizes, clusterSums) = (sizes, sums)
    }
    try visitor.visit(&idleSteps, at: path / "idle_steps", layout: .unchanged)
  }
}

/// A book's numbers while they are updated.
private struct BookState {
  let channels: Int
  var book, sizes, sums, idle: [Float]
  private var counts: [Int]

  init(_ quantizer: VectorQuantizer) {
    channels = quantizer.codebook.shape[1]
    book = quantizer.codebook.scalars
    sizes = quantizer.clusterSizes?.scalars ?? []
    sums = quantizer.clusterSums?.scalars ?? []
    idle = quantizer.idleSteps.scalars
    counts = [Int](repeating: 0, count: idle.count)
  }

  mutating func count(_ indices: [Int]) {
    for index in indices { counts[index] += 1 }
    for code in counts.indices { idle[code] = counts[code] > 0 ? 0 : idle[code] + 1 }
  }

  mutating func average(_ inputs: Tensor, _ indices: [Int], decay: Double) {
    let (kept, new) = (Float(decay), Float(1 - decay))
    for place in sums.indices { sums[place] *= kept }
    let values = inputs.span
    for (row, code) in indices.enumerated() {
      for channel in 0..<channels {
        sums[code * channels + channel] += new * values[row * channels + channel]
      }
    }
    for code in counts.indices {
      sizes[code] = kept * sizes[code] + new * Float(counts[code])
      // What has nearly no weight any more stays where it is.
      guard sizes[code] > 1e-5 else { continue }
      for place in code * channels..<(code + 1) * channels {
        book[place] = sums[place] / sizes[code]
      }
    }
  }

  mutating func reset(
    after steps: Int, with inputs: Tensor, using source: inout some RandomSource
  ) {
    let values = inputs.span
    for code in idle.indices where Int(idle[code]) >= steps {
      let row = Int.random(in: 0..<inputs.shape[0], using: &source)
      for channel in 0..<channels {
        book[code * channels + channel] = values[row * channels + channel]
        if !sums.isEmpty { sums[code * channels + channel] = values[row * channels + channel] }
      }
      if !sizes.isEmpty { sizes[code] = 1 }
      idle[code] = 0
    }
  }
}

extension Tensor {
  /// The same numbers with the gradient of `x`: what is done to x has the derivative 1.
  ///
  /// Bengio et al. 2013, arXiv:1308.3432. The numbers are exact: x − sg[x] is 0.
  func straightThrough(to x: Tensor) -> Tensor {
    x.isRecorded ? detached() + (x - x.detached()) : detached()
  }

  /// The place of the least number in each row of `[M, K]`; of equals the first.
  fileprivate func leastOfEachRow() -> [Int] {
    let (rows, columns) = (shape[0], shape[1])
    let results = Mutex([Int](repeating: 0, count: rows))
    let block = 64
    ThreadPool.current.run(count: (rows + block - 1) / block) { index, _ in
      let first = index * block
      let found = (first..<min(first + block, rows)).map { row in
        let span = self.span
        var (best, place) = (span[row * columns], 0)
        for column in 1..<columns where span[row * columns + column] < best {
          (best, place) = (span[row * columns + column], column)
        }
        return place
      }
      results.withLock { $0.replaceSubrange(first..<first + found.count, with: found) }
    }
    return results.withLock { $0 }
  }
}
