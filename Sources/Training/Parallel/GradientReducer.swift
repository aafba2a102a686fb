import Layers
import Pipelines
import Tensors

/// Averages the gradients of all processes while the rest of the gradient is still computed.
///
/// Derivatives are copied into buckets in the order in which they come, which is the same in all
/// processes; each full bucket is summed in the background (Li et al. 2020, "PyTorch Distributed",
/// arXiv:2006.15704, section 3.2).
///
/// As ``ProcessGroup``, it is used by one thread only.
final class GradientReducer: @unchecked Sendable {
  /// A derivative's place.
  private struct Place {
    let shape: Shape
    let bucket, start: Int
  }

  private let processes: ProcessGroup
  private let capacity: Int
  private var buckets: [GradientBucket] = []
  /// The bucket that is being filled.
  private var current = 0
  private var places: [ParameterPath: Place] = [:]
  private var failure: ProcessGroupError?

  /// How long the last gradient was waited for, when all of it was computed.
  private(set) var waited = Duration.zero

  /// A reducer; a bucket holds `bucketByteCount`, or one larger derivative.
  init(_ processes: ProcessGroup, bucketByteCount: Int = 4 << 20) {
    self.processes = processes
    capacity = max(1, bucketByteCount / MemoryLayout<Float>.stride)
  }

  /// A loss, what else was measured, and the gradient's mean over all processes; see
  /// `Layers.valueWithGradient`.
  ///
  /// - Throws: what `function` throws; ``ProcessGroupError/failed(reason:)``.
  func valueWithGradient<Model: ParameterContainer, Report>(
    at model: Model, isTrainable: (ParameterPath) -> Bool,
    reporting function: (Model) throws -> (loss: Tensor, report: Report)
  ) throws -> (value: Tensor, report: Report, gradient: Gradient) {
    guard processes.count > 1 else {
      return try Layers.valueWithGradient(
        at: model, isTrainable: isTrainable, reporting: function)
    }
    let (value, report, gradient) = try Layers.valueWithGradient(
      at: model, isTrainable: isTrainable, reporting: function,
      whenKnown: { self.take($1, at: $0) })
    if let failure { throw failure }
    return (value, report, try finish(gradient.paths))
  }

  /// Takes a derivative; what fails is kept for the end, as a gradient can't be stopped midway.
  private func take(_ derivative: Tensor, at path: ParameterPath) {
    guard failure == nil else { return }
    do throws(ProcessGroupError) {
      let size = derivative.shape.scalarCount
      if current < buckets.count, buckets[current].count > 0,
        buckets[current].count + size > buckets[current].capacity
      {
        try send()
      }
      reserve(size)
      places[path] = Place(
        shape: derivative.shape, bucket: current, start: buckets[current].append(derivative))
      try drive()
    } catch {
      failure = error
    }
  }

  /// Makes sure that the current bucket is there, and large enough where it is still empty.
  private func reserve(_ size: Int) {
    if current == buckets.count {
      buckets.append(GradientBucket(capacity: max(capacity, size)))
    } else if buckets[current].count == 0, buckets[current].capacity < size {
      buckets[current] = GradientBucket(capacity: size)
    }
  }

  /// Starts to sum the current bucket, and goes on to the next.
  private func send() throws(ProcessGroupError) {
    try buckets[current].startSum(over: processes)
    current += 1
  }

  /// Drives the sums on.
  ///
  /// - Returns: whether all are done.
  @discardableResult
  private func drive() throws(ProcessGroupError) -> Bool {
    var areDone = true
    for bucket in buckets where try !bucket.isSettled(in: processes) { areDone = false }
    return areDone
  }

  /// The gradient's mean over all processes, in this order of parameters, when the last derivative
  /// was taken.
  private func finish(_ paths: [ParameterPath]) throws(ProcessGroupError) -> Gradient {
    let start = ContinuousClock.now
    if current < buckets.count, buckets[current].count > 0 { try send() }
    while try !drive() { processes.rest() }
    waited = .now - start
    var gradient = Gradient()
    for path in paths {
      guard let place = places[path] else { continue }
      gradient[path] = buckets[place.bucket].tensor(
        at: place.start, shape: place.shape, times: 1 / Float(processes.count))
    }
    for bucket in buckets { bucket.clear() }
    places.removeAll(keepingCapacity: true)
    current = 0
    return gradient
  }
}
