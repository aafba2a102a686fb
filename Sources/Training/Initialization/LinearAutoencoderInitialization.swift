import Images
import Layers
public import Models
public import Tensors

/// The best linear autoencoder of a data set, with which an `AutoencoderCompact` begins.
///
/// Of all linear maps of squares of f×f pixels to C numbers and back, that to the first C principal
/// components of the squares loses the least, and it is known in closed form (Bourlard and Kamp
/// 1988; Lucas et al. 2019, arXiv:1911.02469, for linear variational autoencoders). Latents are
/// scaled to a variance of 1 each.
///
/// ```swift
/// var linear = LinearAutoencoderInitialization(for: model.configuration)
/// try linear.add(data.source, indices: data.training)
/// linear.apply(to: &model)
/// ```
public struct LinearAutoencoderInitialization: Sendable {
  private let configuration: AutoencoderCompact.Configuration
  /// The numbers of a square.
  private let size: Int
  /// How many squares were added.
  public private(set) var squareCount = 0
  private var sums: [Double]
  /// Σ x·xᵀ, row by row.
  private var products: [Double]

  /// Of no squares yet.
  public init(for configuration: AutoencoderCompact.Configuration) {
    self.configuration = configuration
    size = configuration.inChannels * configuration.spatialFactor * configuration.spatialFactor
    sums = [Double](repeating: 0, count: size)
    products = [Double](repeating: 0, count: size * size)
  }

  /// Adds the squares of pictures `[N, H, W, 3]` in −1…1.
  ///
  /// - Precondition: height and width are multiples of the model's factor.
  public mutating func add(_ pictures: Tensor) {
    let patch = configuration.patchSize
    let squares = pictures.spaceToDepth(patch)
      .spaceToDepth(configuration.spatialFactor / patch)
    let count = squares.shape.scalarCount / size
    guard count > 0 else { return }
    let rows = squares.reshaped(to: [count, size])
    let products = rows.transposed().matrixProduct(rows).scalars
    let sums = rows.sum(over: 0..<1).scalars
    for index in 0..<size { self.sums[index] += Double(sums[index]) }
    for index in 0..<size * size { self.products[index] += Double(products[index]) }
    squareCount += count
  }

  /// Adds pictures of a data set, without what is left over at their right and lower edges.
  ///
  /// Pictures that can't be read are passed over, as long as one can.
  ///
  /// - Parameters:
  ///   - source: The data set.
  ///   - indices: Which pictures; evenly chosen among them if they are more than `limit`.
  ///   - limit: How many pictures suffice.
  /// - Throws: ``TrainingDataError``, if none can be read or none is as large as a square.
  public mutating func add(
    _ source: any PictureSource, indices: [Int], limit: Int = 2000
  ) throws(TrainingDataError) {
    let before = squareCount
    var failure: TrainingDataError?
    let count = min(limit, indices.count)
    for place in 0..<count {
      let index = indices[place * indices.count / count]
      do {
        try add(source.picture(at: index), named: source.name(at: index))
      } catch {
        failure = failure ?? error
      }
    }
    if squareCount == before, let failure { throw failure }
  }

  private mutating func add(_ picture: Image, named name: String) throws(TrainingDataError) {
    let factor = configuration.spatialFactor
    let (width, height) = (picture.width / factor * factor, picture.height / factor * factor)
    guard width > 0, height > 0 else {
      throw .tooSmall(name: name, width: picture.width, height: picture.height, crop: factor)
    }
    add(picture.cropped(x: 0, y: 0, width: width, height: height).tensor())
  }

  /// The mean of the squares, and the eigenvectors of their covariance.
  ///
  /// Nil before squares were added, or where their numbers aren't finite.
  private var components: (mean: [Double], eigen: SymmetricEigenvectors)? {
    guard squareCount > 0 else { return nil }
    let count = Double(squareCount)
    let mean = sums.map { $0 / count }
    var covariance = products
    for row in 0..<size {
      for column in 0..<size {
        covariance[row * size + column] =
          products[row * size + column] / count - mean[row] * mean[column]
      }
    }
    return SymmetricEigenvectors(of: covariance, size: size).map { (mean, $0) }
  }

  /// Sets a model's linear shortcut, in both directions; its other parameters stay as they are.
  ///
  /// - Returns: The part of the squares' variance that the latents keep, 0…1; nil if the model has
  ///   no linear shortcut, or nothing was added that could be used: then it stays as it is.
  /// - Precondition: the model has the configuration of ``init(for:)``.
  @discardableResult
  public func apply(to model: inout AutoencoderCompact) -> Double? {
    precondition(model.configuration == configuration, "a model of another configuration")
    guard model.encoder.linearShortcut != nil, let (mean, eigen) = components else { return nil }
    let channels = configuration.latentChannels
    let kept = min(channels, size)
    // Components without variance get no signal, instead of one without bounds.
    let least = max(eigen.values[0] * 1e-9, 1e-12)
    let scales = eigen.values.prefix(kept).map { $0 > least ? $0.squareRoot() : .infinity }
    var encoding = [Float](repeating: 0, count: size * channels)
    var encodingBias = [Float](repeating: 0, count: channels)
    var decoding = [Float](repeating: 0, count: channels * size)
    for (channel, scale) in scales.enumerated() where scale.isFinite {
      let vector = eigen.vectors[channel]
      var offset = 0.0
      for index in 0..<size {
        encoding[index * channels + channel] = Float(vector[index] / scale)
        decoding[channel * size + index] = Float(vector[index] * scale)
        offset += vector[index] * mean[index]
      }
      encodingBias[channel] = Float(-offset / scale)
    }
    model.encoder.linearShortcut?.weight = Tensor(encoding, shape: [1, 1, size, channels])
    model.encoder.linearShortcut?.bias = Tensor(encodingBias, shape: [channels])
    model.decoder.linearShortcut?.weight = Tensor(decoding, shape: [1, 1, channels, size])
    model.decoder.linearShortcut?.bias = Tensor(mean.map(Float.init), shape: [size])
    let total = eigen.values.reduce(0, +)
    return total > 0 ? eigen.values.prefix(kept).reduce(0, +) / total : 1
  }
}
