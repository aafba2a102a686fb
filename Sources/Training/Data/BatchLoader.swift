import Images
public import Tensors

/// Makes the batches of a run: which pictures, which parts of them, and how.
///
/// A batch depends on the seed, its number and the data alone, and not on what was made before or
/// on threads, so that a run that goes on from a checkpoint sees the same batches. Each epoch shows
/// each picture once, in an order of its own.
public struct BatchLoader: Sendable {
  /// What is cut from pictures.
  public struct Settings: Hashable, Sendable {
    /// The side of the squares that are cut out, in pixels; at least 1.
    public var crop = 64
    /// How many squares make a batch; at least 1.
    public var batchSize = 8
    /// Whether half of the squares are mirrored left to right.
    public var flips = true
    /// By how much pictures are resized before, evenly distributed; each end above 0.
    ///
    /// A picture isn't made smaller than the square.
    public var scale: ClosedRange<Double> = 1...1
    /// Whether a picture that is smaller than the square is enlarged, and not refused.
    public var enlargesSmallPictures = false

    /// Squares of 64 pixels, mirrored at random.
    public init() {}
  }

  /// The pictures.
  public let source: any PictureSource
  /// The numbers of those pictures that are shown.
  public let indices: [Int]
  /// What is cut from them.
  public let settings: Settings
  private let random: PhiloxRandomSource
  private let order: EpochOrder
  private let unreadable: UnreadablePictures

  /// Distinguishes the two uses of random numbers.
  private enum Stream {
    static let order: UInt64 = 1
    static let crops: UInt64 = 2
  }

  /// A loader of some pictures of a data set.
  ///
  /// - Parameters:
  ///   - source: The pictures.
  ///   - indices: The numbers of those that are shown.
  ///   - settings: What is cut from them.
  ///   - seed: Fixes the order and the squares.
  ///   - unreadableLimit: How many unreadable pictures are passed over.
  ///   - notice: Called, once for each, with pictures that are passed over; from any thread.
  /// - Precondition: there is a picture, and the settings are within their ranges.
  public init(
    source: any PictureSource, indices: [Int], settings: Settings, seed: UInt64,
    unreadableLimit: Int = 10, notice: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    precondition(!indices.isEmpty, "batches of no pictures")
    precondition(
      settings.crop >= 1 && settings.batchSize >= 1 && settings.scale.lowerBound > 0,
      "batches of \(settings.batchSize) squares of \(settings.crop)")
    self.source = source
    self.indices = indices
    self.settings = settings
    random = PhiloxRandomSource(seed: seed)
    order = EpochOrder(count: indices.count, random: random.stream(Stream.order))
    unreadable = UnreadablePictures(limit: unreadableLimit, notice: notice)
  }

  /// The batch of a step, counted from 0: `[N, crop, crop, 3]` in −1…1.
  ///
  /// A picture that can't be read is replaced by the next one in the data set.
  ///
  /// - Throws: ``TrainingDataError``.
  public func batch(_ step: Int) throws(TrainingDataError) -> Tensor {
    var squares: [Image] = []
    for item in step * settings.batchSize..<(step + 1) * settings.batchSize {
      squares.append(try square(item))
    }
    return Tensor(stacking: squares)
  }

  /// The numbers of the pictures that ``batch(_:)`` shows if all can be read, in the batch's order.
  public func pictures(ofBatch step: Int) -> [Int] {
    (step * settings.batchSize..<(step + 1) * settings.batchSize).map { item in
      let (epoch, place) = item.quotientAndRemainder(dividingBy: indices.count)
      return indices[order.item(ofEpoch: epoch, at: place)]
    }
  }

  /// The squares of a data set in its order, cut from the middle of each picture without chance:
  /// what a run is validated with.
  ///
  /// - Parameter range: Which of the pictures, as places in ``indices``.
  /// - Returns: `[N, crop, crop, 3]` in −1…1.
  /// - Throws: ``TrainingDataError``.
  public func centers(_ range: Range<Int>) throws(TrainingDataError) -> Tensor {
    var squares: [Image] = []
    for place in range {
      let image = try readable(from: place)
      let side = try side(of: image.picture, named: image.name, scale: 1)
      squares.append(
        image.picture.cropped(
          x: (image.picture.width - side) / 2, y: (image.picture.height - side) / 2, width: side,
          height: side
        ).resized(width: settings.crop, height: settings.crop))
    }
    return Tensor(stacking: squares)
  }

  /// The square of an item, counted through all batches.
  private func square(_ item: Int) throws(TrainingDataError) -> Image {
    let (epoch, place) = item.quotientAndRemainder(dividingBy: indices.count)
    let (picture, name) = try readable(from: order.item(ofEpoch: epoch, at: place))
    var random = random.stream(Stream.crops).stream(UInt64(item))
    // The same draws whatever the picture, so that each choice has its own random number.
    let (scaleDraw, xDraw, yDraw, flipDraw) = (
      random.next(), random.next(), random.next(), random.next()
    )
    let range = settings.scale
    let scale = range.lowerBound + (range.upperBound - range.lowerBound) * scaleDraw.unitInterval
    let side = try side(of: picture, named: name, scale: scale)
    let square = picture.cropped(
      x: xDraw.scaled(below: picture.width - side + 1),
      y: yDraw.scaled(below: picture.height - side + 1), width: side, height: side
    ).resized(width: settings.crop, height: settings.crop)
    return settings.flips && flipDraw >> 63 == 1
      ? square.turnedUpright(from: .mirrored) : square
  }

  /// The side of the part of a picture that becomes a square when the picture is resized by
  /// `scale`.
  private func side(
    of picture: Image, named name: String, scale: Double
  ) throws(TrainingDataError) -> Int {
    let shortest = min(picture.width, picture.height)
    guard shortest >= settings.crop || settings.enlargesSmallPictures else {
      throw .tooSmall(
        name: name, width: picture.width, height: picture.height, crop: settings.crop)
    }
    return min(shortest, max(1, Int((Double(settings.crop) / scale).rounded())))
  }

  /// The picture at a place among ``indices``, or the first after it that can be read.
  private func readable(
    from place: Int
  ) throws(TrainingDataError) -> (picture: Image, name: String) {
    for offset in 0..<indices.count {
      let index = indices[(place + offset) % indices.count]
      do {
        return (try source.picture(at: index), source.name(at: index))
      } catch {
        guard case .unreadable = error else { throw error }
        try unreadable.add(index, error)
      }
    }
    throw unreadable.failure
  }
}

extension Tensor {
  /// Pictures of one size as `[N, H, W, 3]` in −1…1.
  init(stacking images: [Image]) {
    let (height, width) = (images[0].height, images[0].width)
    var scalars: [Float] = []
    scalars.reserveCapacity(images.count * height * width * 3)
    for image in images { scalars.append(contentsOf: image.tensor().scalars) }
    self.init(scalars, shape: [images.count, height, width, 3])
  }
}
