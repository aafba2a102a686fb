/// The header of a `.latent` file: all that is known without decompressing anything.
public struct LatentHeader: Sendable, Equatable {
  /// The newest version of the format that this build reads, and the one it writes.
  public static let version = 1

  /// How an alpha plane is stored.
  public struct Alpha: Sendable, Equatable {
    /// The bits of a value: 8 or 16.
    public let bitDepth: Int
    /// The filter.
    public let filter: PlaneFilter
  }

  /// Where the latent came from.
  public let metadata: LatentMetadata
  /// The channels of the latent.
  ///
  /// With moments there are twice as many planes.
  public let channelCount: Int
  /// The rows of the latent.
  public let height: Int
  /// The columns of the latent.
  public let width: Int
  /// How the numbers are stored.
  public let storage: LatentStorage
  /// The distance of two levels, for each plane; 1 for floating-point storage.
  public let scales: [Float]
  /// The value of code 0, for each plane; 0 for floating-point storage.
  public let offsets: [Float]
  /// The filter of each plane.
  public let filters: [PlaneFilter]
  /// How the alpha plane is stored, if the file has one.
  public let alpha: Alpha?

  /// The planes of the latent.
  public var planeCount: Int { metadata.values == .moments ? 2 * channelCount : channelCount }

  /// The bytes of a plane of the latent in the payload.
  public var planeByteCount: Int { storage.payloadByteCount(valueCount: height * width) }

  /// The bytes of the alpha plane in the payload; 0 if there is none.
  public var alphaByteCount: Int {
    guard let alpha, let source = metadata.source else { return 0 }
    return source.width * source.height * (alpha.bitDepth / 8)
  }

  /// The bytes of the decompressed payload.
  public var payloadByteCount: Int { planeCount * planeByteCount + alphaByteCount }

  /// The header of a latent with its filters.
  init(file: LatentFile, filters: [PlaneFilter], alphaFilter: PlaneFilter?) {
    let planes = file.latent.planes
    metadata = file.metadata
    channelCount = metadata.values == .moments ? planes.count / 2 : planes.count
    height = file.latent.height
    width = file.latent.width
    storage = file.latent.storage
    scales = planes.map(\.scale)
    offsets = planes.map(\.offset)
    self.filters = filters
    alpha =
      if let plane = file.alpha, let alphaFilter {
        Alpha(bitDepth: plane.bitDepth, filter: alphaFilter)
      } else {
        nil
      }
  }

  /// The header with these fields.
  init(
    metadata: LatentMetadata, shape: [Int], storage: LatentStorage, scales: [Float],
    offsets: [Float], filters: [PlaneFilter], alpha: Alpha?
  ) {
    self.metadata = metadata
    channelCount = shape[0]
    height = shape[1]
    width = shape[2]
    self.storage = storage
    self.scales = scales
    self.offsets = offsets
    self.filters = filters
    self.alpha = alpha
  }

  /// Throws unless the sizes are within the limits and their products within `Int`.
  func checkSizes(_ limits: LatentFileLimits) throws(LatentFileError) {
    try limits.check(.extent, max(height, width), \.extent)
    try limits.check(.planeCount, channelCount, \.planeCount)
    try limits.check(.planeCount, planeCount, \.planeCount)
    var total = 0
    var overflows: [Bool] = []
    func product(_ factors: [Int]) -> Int {
      factors.reduce(1) { product, factor in
        let (value, overflow) = product.multipliedReportingOverflow(by: factor)
        overflows.append(overflow)
        return value
      }
    }
    total = product([height, width, planeCount, storage.bytesPerValue])
    if let alpha, let source = metadata.source {
      let (sum, overflow) = total.addingReportingOverflow(
        product([source.width, source.height, alpha.bitDepth / 8]))
      overflows.append(overflow)
      total = sum
    }
    let byteCount = overflows.contains(true) ? Int.max : payloadByteCount
    try limits.check(.payloadByteCount, byteCount, \.payloadByteCount)
  }
}
