/// Why nothing can be drawn with a diffusion model.
public enum DiffusionError: Error, Hashable, Sendable {
  /// The model has no class of this name or number.
  case unknownClass(String, known: [String])
  /// A class's share of the pictures is no number from 1 to `most`.
  case classShare(String, most: Int)
  /// The shares of classes add up to more than `most`.
  case classShares(String, sum: Int, most: Int)
  /// A class is wanted of a model that has none.
  case noClasses(model: String)
  /// A picture's sides aren't multiples of what the networks need.
  case size(width: Int, height: Int, multiple: Int)
  /// No model is named, and none is part of the program.
  case noModel
}

extension DiffusionError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .unknownClass(let name, let known):
      "the model has no class \(name); choose one of \(known.joined(separator: ", ")), or a number "
        + "from 0 to \(known.count - 1)"
    case .classShare(let text, let most):
      "the class \(text): behind the colon a whole number from 1 to \(most) is expected, the class's "
        + "share of the pictures"
    case .classShares(let text, let sum, let most):
      "the shares of the classes \(text) add up to \(sum), and at most \(most) are possible; give "
        + "smaller numbers"
    case .noClasses(let model):
      "the model \(model) was trained without classes; leave the class out"
    case .size(let width, let height, let multiple):
      "pictures of \(width)x\(height) can't be drawn: both sides have to be multiples of "
        + "\(multiple), as \(Self.nearest(width, multiple))x\(Self.nearest(height, multiple)) is"
    case .noModel:
      "no diffusion model is part of this program; name one with --model, as "
        + "`lvae diffuse-train` makes it"
    }
  }

  private static func nearest(_ side: Int, _ multiple: Int) -> Int {
    max(multiple, (side + multiple / 2) / multiple * multiple)
  }
}
