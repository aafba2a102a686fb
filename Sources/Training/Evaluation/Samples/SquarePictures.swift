public import Images
import Tensors

/// Pictures of one size, with their classes where these are known: what is measured of samples, and
/// what a classifier is trained with.
public struct SquarePictures: Sendable {
  /// The folder that they come from.
  public let path: String
  /// Their paths below it.
  public let names: [String]
  /// The pictures: all of one size, in colour and 8 bits, without opacity.
  public let squares: [Image]
  /// The class of each, as a place in ``classNames``; nil without classes.
  public let labels: [Int]?
  /// The classes in alphabetical order.
  public let classNames: [String]

  /// How many there are.
  public var count: Int { squares.count }

  /// A set of pictures.
  ///
  /// - Parameters:
  ///   - path: The folder that they come from.
  ///   - names: Their paths below it.
  ///   - squares: The pictures, as `Image.square(side:)` makes them.
  ///   - labels: Where their classes are found.
  /// - Precondition: there is a name for each picture, and all have one size.
  /// - Throws: ``TrainingDataError/labels(path:reason:)``.
  public init(
    path: String, names: [String], squares: [Image], labels: LatentSet.Labels
  ) throws(TrainingDataError) {
    precondition(
      names.count == squares.count && Set(squares.map { [$0.width, $0.height] }).count <= 1,
      "\(names.count) names for \(squares.count) pictures, or pictures of several sizes")
    self.path = path
    self.names = names
    self.squares = squares
    let found = try LatentLabels(labels, of: names.map { LabelledFile(name: $0, path: $0) })
    (self.labels, classNames) = (found.labels, found.classNames)
  }

  /// The class of each picture as a place among other classes; nil without classes.
  ///
  /// - Throws: ``SampleEvaluationError/unknownClasses(path:unknown:known:)`` where one isn't there.
  func labels(among known: [String]) throws(SampleEvaluationError) -> [Int]? {
    guard let labels else { return nil }
    let places = classNames.map { known.firstIndex(of: $0) }
    let unknown = zip(classNames, places).filter { $0.1 == nil }.map(\.0)
    guard unknown.isEmpty else {
      throw .unknownClasses(path: path, unknown: unknown, known: known)
    }
    return labels.compactMap { places[$0] }
  }
}

extension Image {
  /// The largest square in the middle of the picture in another size: in colour and 8 bits, over
  /// white where it is transparent.
  package func square(side: Int) -> Image {
    let shortest = min(width, height)
    return preparedForTraining.cropped(
      x: (width - shortest) / 2, y: (height - shortest) / 2, width: shortest, height: shortest
    ).resized(width: side, height: side).converted(to: .rgb)
  }
}
