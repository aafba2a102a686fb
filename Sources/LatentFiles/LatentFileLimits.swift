/// How much a reader of `.latent` files takes on before it refuses.
///
/// The sizes are those the header announces: they are checked before memory is allocated.
public struct LatentFileLimits: Sendable, Equatable {
  /// What is limited, as messages call it.
  public enum Quantity: String, Sendable {
    /// The size of the first frame.
    case headerByteCount = "bytes of header"
    /// The size of the decompressed payload.
    case payloadByteCount = "bytes of payload"
    /// The number of planes of the latent.
    case planeCount = "planes"
    /// A height or width, of the latent or the source.
    case extent = "height or width"
  }

  /// The largest header, in bytes.
  public var headerByteCount: Int
  /// The largest decompressed payload, in bytes.
  public var payloadByteCount: Int
  /// The most planes a latent may have.
  public var planeCount: Int
  /// The greatest height and width, of the latent and of the source.
  public var extent: Int

  /// Limits that fit any picture of a camera: 1 MiB of header, 512 MiB of payload.
  public init(
    headerByteCount: Int = 1 << 20, payloadByteCount: Int = 1 << 29, planeCount: Int = 4096,
    extent: Int = 1 << 20
  ) {
    self.headerByteCount = headerByteCount
    self.payloadByteCount = payloadByteCount
    self.planeCount = planeCount
    self.extent = extent
  }

  /// Throws if `found` is more than `limit`.
  func check(
    _ quantity: Quantity, _ found: Int, _ limit: KeyPath<LatentFileLimits, Int>
  ) throws(LatentFileError) {
    guard found <= self[keyPath: limit] else {
      throw .overLimit(quantity, found: found, limit: self[keyPath: limit])
    }
  }
}
