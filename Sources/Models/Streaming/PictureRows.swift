public import Tensors

/// A picture that is read in bands of rows, from the top down.
public struct PictureRows {
  /// Rows; a multiple of the autoencoder's spatial factor.
  public let height: Int
  /// Columns; a multiple of the autoencoder's spatial factor.
  public let width: Int
  /// The colours of some rows, `[1, rows, width, 3]` in −1…1.
  let read: (Range<Int>) throws -> Tensor

  /// A picture of which `read` gives rows; it is asked for each row once, in order.
  public init(height: Int, width: Int, read: @escaping (Range<Int>) throws -> Tensor) {
    self.height = height
    self.width = width
    self.read = read
  }
}
