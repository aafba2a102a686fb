/// The extent of a tensor along each axis, outermost first.
///
/// Pictures and feature maps are `[N, H, W, C]`: channels last.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The extents, outermost axis first; none is negative.
  public let dimensions: [Int]

  /// A shape with these extents.
  ///
  /// - Precondition: no extent is negative and their product fits in `Int`.
  public init(_ dimensions: [Int]) {
    precondition(dimensions.allSatisfy { $0 >= 0 }, "a negative extent in \(dimensions)")
    self.dimensions = dimensions
  }

  /// A shape written as a list: `[1, 64, 64, 3]`.
  public init(arrayLiteral elements: Int...) {
    self.init(elements)
  }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The number of scalars in a tensor of this shape; 1 for a scalar.
  public var scalarCount: Int { dimensions.reduce(1, *) }

  /// The extent of one axis; a negative index counts from the innermost.
  public subscript(axis: Int) -> Int {
    dimensions[axis < 0 ? dimensions.count + axis : axis]
  }

  /// As it is written in messages: `1×64×64×3`.
  public var description: String {
    dimensions.isEmpty ? "scalar" : dimensions.map(String.init).joined(separator: "×")
  }
}
