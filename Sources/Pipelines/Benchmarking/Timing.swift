import Foundation

/// How long the repetitions of something took, in milliseconds.
package struct Timing: Sendable {
  /// In the order in which they ran.
  package let runs: [Double]
  /// The processor's time for one, of all threads: what else the machine does hardly changes it.
  package let processorTime: Double?

  /// Runs `body` once to warm up, and then `repeats` times.
  ///
  /// - Precondition: `repeats` is at least 1.
  package init(repeats: Int, warmsUp: Bool = true, _ body: () throws -> Void) rethrows {
    precondition(repeats >= 1, "\(repeats) repetitions")
    if warmsUp { try body() }
    var runs: [Double] = []
    let processorStart = clock()
    for _ in 0..<repeats {
      let start = ContinuousClock.now
      try body()
      runs.append((ContinuousClock.now - start) / .milliseconds(1))
    }
    let processorTime = Double(clock() - processorStart) / Double(CLOCKS_PER_SEC) * 1000
    self.init(runs: runs, processorTime: processorTime / Double(repeats))
  }

  /// Times that were taken elsewhere.
  ///
  /// - Precondition: there is at least one.
  package init(runs: [Double], processorTime: Double? = nil) {
    precondition(!runs.isEmpty, "no repetitions")
    self.runs = runs
    self.processorTime = processorTime
  }

  /// The middle one, or the mean of the two in the middle.
  package var median: Double {
    let sorted = runs.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// The shortest.
  package var minimum: Double { runs.min() ?? 0 }

  /// The longest.
  package var maximum: Double { runs.max() ?? 0 }
}
