public import Images
import Tensors

extension PictureClassifier {
  /// What a classifier makes of pictures.
  public struct Examination: Sendable {
    /// The features of each.
    public let features: FeatureVectors
    /// The likeliest class of each, as a place among the classes.
    public let classes: [Int]
  }

  /// The features and the likeliest classes of pictures.
  ///
  /// - Precondition: the pictures have the network's size, and there is one.
  public func examine(_ squares: [Image]) -> Examination {
    let classCount = configuration.classNames.count
    var values: [Double] = []
    var classes: [Int] = []
    for start in Swift.stride(from: 0, to: squares.count, by: 32) {
      let batch = squares[start..<min(squares.count, start + 32)]
      let features = features(of: Tensor(stacking: Array(batch)))
      let logits = logits(ofFeatures: features).scalars
      values += features.scalars.map { Double($0) }
      for row in batch.indices.map({ $0 - start }) {
        let numbers = logits[row * classCount..<(row + 1) * classCount]
        // The first of equals.
        let greatest = numbers.indices.max { numbers[$0] < numbers[$1] } ?? numbers.startIndex
        classes.append(greatest - numbers.startIndex)
      }
    }
    return Examination(
      features: FeatureVectors(values, dimension: configuration.featureCount), classes: classes)
  }
}
