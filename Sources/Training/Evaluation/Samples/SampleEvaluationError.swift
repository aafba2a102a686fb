/// Why samples can't be measured, or no classifier be trained to measure them with.
public enum SampleEvaluationError: Error, Hashable, Sendable {
  /// No picture of a folder could be read; the reasons of the first.
  case nothingReadable(path: String, reasons: [String])
  /// A set is too small for what is to be computed of it.
  case tooFew(path: String, count: Int, needed: Int)
  /// Pictures to train a classifier with have no classes, or only one.
  case noClasses(path: String, found: [String])
  /// Pictures have classes that the classifier doesn't know.
  case unknownClasses(path: String, unknown: [String], known: [String])
  /// Infinite numbers, or such that aren't numbers, came up while a classifier was trained.
  case diverged(step: Int)
  /// The features have infinite numbers, or such that aren't numbers.
  case notFinite
}

extension SampleEvaluationError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .nothingReadable(let path, let reasons):
      "\(path): no picture in it can be read; mend them or give another folder:\n  "
        + reasons.joined(separator: "\n  ")
    case .tooFew(let path, let count, let needed):
      "\(path): \(count) pictures, and at least \(needed) are needed; give more"
    case .noClasses(let path, let found):
      "\(path): pictures of two classes at least are needed, and these have "
        + (found.isEmpty ? "none" : "one, \(found.joined(separator: ", "))")
        + "; put the pictures of each class into a folder of its name, or give --labels a CSV file"
    case .unknownClasses(let path, let unknown, let known):
      "\(path): the classifier doesn't know the classes \(Self.list(unknown)) (it knows "
        + "\(Self.list(known))); give a classifier that was trained with them, or leave classes out "
        + "with --labels none and --real-labels none"
    case .diverged(let step):
      "step \(step): the loss isn't finite any more; give a lower --learning-rate"
    case .notFinite:
      "the features aren't finite numbers, so the classifier's weights are broken; train it again"
    }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
  }
}
