/// How many rows and columns of zeros surround a picture before it is convolved.
public struct ConvolutionPadding: Hashable, Sendable {
  /// Rows above, columns to the left, rows below and columns to the right.
  public var top, left, bottom, right: Int

  /// Another number on each side.
  public init(top: Int, left: Int, bottom: Int, right: Int) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  /// The same number on all sides.
  public init(_ all: Int) {
    self.init(top: all, left: all, bottom: all, right: all)
  }
}
