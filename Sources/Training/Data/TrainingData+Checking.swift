import Synchronization
import Tensors

extension TrainingData {
  /// Looks at the size of each picture before any long work starts.
  ///
  /// - Parameters:
  ///   - settings: The side of the squares, and what may be passed over.
  ///   - notice: Called with each picture that can't be read, in order.
  /// - Throws: ``TrainingDataError/tooManySmall(count:of:crop:smallest:examples:)`` unless small
  ///   pictures are enlarged; ``TrainingDataError/tooManyUnreadable(count:limit:examples:)``.
  public func check(
    _ settings: DataSettings, notice: (String) -> Void = { _ in }
  ) throws(TrainingDataError) {
    let found = Mutex<(small: [Int: Int], unreadable: [Int: String])>(([:], [:]))
    let source = source
    ThreadPool.current.run(count: source.count) { index, _ in
      do throws(TrainingDataError) {
        let (width, height) = try source.extents(at: index)
        let side = min(width, height)
        if side < settings.crop { found.withLock { $0.small[index] = side } }
      } catch {
        found.withLock { $0.unreadable[index] = error.description }
      }
    }
    let (small, unreadable) = found.withLock { $0 }
    let reasons = unreadable.sorted { $0.key < $1.key }.map(\.value)
    for reason in reasons { notice("\(reason); it is passed over") }
    if reasons.count > settings.unreadableLimit || reasons.count == source.count {
      throw .tooManyUnreadable(
        count: reasons.count, limit: settings.unreadableLimit, examples: Array(reasons.prefix(5)))
    }
    guard !settings.enlargeSmall, let smallest = small.values.min() else { return }
    let names = small.keys.sorted().prefix(5).map { source.name(at: $0) }
    throw .tooManySmall(
      count: small.count, of: source.count, crop: settings.crop, smallest: smallest,
      examples: Array(names))
  }
}
