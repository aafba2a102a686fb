import Foundation
import Pipelines

/// The classes of pictures: in turn, or each as often as its share says.
struct ClassShares {
  /// The labels of pictures, over and over; empty for a model without classes.
  let labels: [Int]
  /// The classes with their shares, as `--class` takes them.
  let texts: [String]

  /// The most pictures after which labels begin anew.
  static let longestPeriod = 100_000

  /// All classes of a model, in turn.
  init(allOf model: LatentDiffusionModel) {
    labels = Array(model.classNames.indices)
    texts = model.classNames
  }

  /// Those that a user lists: `cat,dog`, or `cat:3,dog`, three of four pictures cats.
  ///
  /// - Throws: `DiffusionError` for what the model doesn't know, and shares that are no numbers.
  init(_ list: String, of model: LatentDiffusionModel) throws(DiffusionError) {
    var entries: [(label: Int, share: Int)] = []
    for part in list.split(separator: ",", omittingEmptySubsequences: false) {
      entries.append(try Self.entry(part.trimmingCharacters(in: .whitespaces), of: model))
    }
    let divisor = entries.reduce(0) { Self.greatestDivisor($0, $1.share) }
    let shares = entries.map { $0.share / divisor }
    let period = shares.reduce(0, +)
    guard period <= Self.longestPeriod else {
      throw .classShares(list, sum: period, most: Self.longestPeriod)
    }
    labels = Self.order(of: shares).map { entries[$0].label }
    texts = zip(entries, shares).map { entry, share in
      model.classNames[entry.label] + (share == 1 ? "" : ":\(share)")
    }
  }

  /// Only the first of the classes.
  var first: ClassShares {
    ClassShares(labels: Array(labels.prefix(1)), texts: Array(texts.prefix(1)))
  }

  private init(labels: [Int], texts: [String]) { (self.labels, self.texts) = (labels, texts) }

  /// The label of a picture; nil for a model without classes.
  func label(ofPicture index: Int) -> Int? {
    labels.isEmpty ? nil : labels[index % labels.count]
  }

  /// Whether each class comes as often as any other.
  var areEqual: Bool { labels.count == texts.count }

  private static func entry(
    _ text: String, of model: LatentDiffusionModel
  ) throws(DiffusionError) -> (label: Int, share: Int) {
    // A name may have a colon, too; then it is meant.
    if let label = try? model.label(named: text) { return (label, 1) }
    guard let colon = text.lastIndex(of: ":") else {
      return (try model.label(named: text), 1)
    }
    let label = try model.label(named: text[..<colon].trimmingCharacters(in: .whitespaces))
    let share = text[text.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    guard let number = Int(share), (1...longestPeriod).contains(number) else {
      throw .classShare(text, most: longestPeriod)
    }
    return (label, number)
  }

  /// Places so that each comes as often as its share, and at any moment nearly so: the next is the
  /// one that is furthest behind.
  private static func order(of shares: [Int]) -> [Int] {
    let period = shares.reduce(0, +)
    var behind = [Int](repeating: 0, count: shares.count)
    return (0..<period).map { _ in
      var next = 0
      for place in shares.indices {
        behind[place] += shares[place]
        if behind[place] > behind[next] { next = place }
      }
      behind[next] -= period
      return next
    }
  }

  private static func greatestDivisor(_ left: Int, _ right: Int) -> Int {
    right == 0 ? left : greatestDivisor(right, left % right)
  }
}
