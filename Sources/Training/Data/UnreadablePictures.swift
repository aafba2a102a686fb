import Synchronization

/// The pictures that a ``BatchLoader`` has passed over.
final class UnreadablePictures: Sendable {
  private let limit: Int
  private let notice: @Sendable (String) -> Void
  private let descriptions = Mutex<[Int: String]>([:])

  init(limit: Int, notice: @escaping @Sendable (String) -> Void) {
    self.limit = limit
    self.notice = notice
  }

  /// Notes that a picture was passed over.
  ///
  /// - Throws: ``TrainingDataError/tooManyUnreadable(count:limit:examples:)`` beyond the limit.
  func add(_ index: Int, _ error: TrainingDataError) throws(TrainingDataError) {
    let isNew = descriptions.withLock { descriptions in
      guard descriptions[index] == nil else { return false }
      descriptions[index] = error.description
      return true
    }
    if isNew { notice(error.description) }
    let failure = failure
    if case .tooManyUnreadable(let count, _, _) = failure, count > limit { throw failure }
  }

  /// The error that says how many were passed over.
  var failure: TrainingDataError {
    let descriptions = descriptions.withLock { $0 }
    let examples = descriptions.sorted { $0.key < $1.key }.prefix(5).map(\.value)
    return .tooManyUnreadable(count: descriptions.count, limit: limit, examples: examples)
  }
}
