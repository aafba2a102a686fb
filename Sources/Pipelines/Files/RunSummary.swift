import Foundation
import Synchronization

/// What a run did with its inputs: the list for a person, or for a program.
package struct RunSummary: Equatable, Sendable, Codable {
  /// An input that failed, and why.
  package struct Failure: Equatable, Sendable, Codable, CustomStringConvertible {
    /// The input.
    package var path: String
    /// What is wrong; what to do.
    package var reason: String

    package init(path: String, reason: String) {
      self.path = path
      self.reason = reason
    }

    /// Both; the path once, since many errors name it themselves.
    package var description: String { reason.contains(path) ? reason : "\(path): \(reason)" }
  }

  /// How many inputs there were, those that are missing or unreadable among them.
  package private(set) var inputs: Int
  /// How many were done.
  package private(set) var done = 0
  /// How many had been done before.
  package private(set) var skipped = 0
  /// Those that failed.
  package private(set) var failures: [Failure] = []
  /// How many were not reached, since a signal ended the run.
  package private(set) var notReached = 0
  /// The signal that ended the run.
  package private(set) var signal: Int32?
  /// How long the run took, in seconds.
  package private(set) var seconds = 0.0
  /// The stage that the others waited for.
  package private(set) var bottleneck: Stage?

  /// A run that begins.
  ///
  /// - Parameters:
  ///   - inputs: How many inputs there are, without `failures`.
  ///   - failures: Inputs that could not even be found.
  package init(inputs: Int, failures: [InputFailure] = []) {
    self.inputs = inputs + failures.count
    self.failures = failures.map { Failure(path: $0.path, reason: $0.reason) }
  }

  /// One more was done.
  package mutating func countDone() { done += 1 }

  /// One more had been done before.
  package mutating func countSkipped() { skipped += 1 }

  /// One more failed.
  package mutating func countFailure(_ path: String, _ reason: String) {
    failures.append(Failure(path: path, reason: reason))
  }

  /// One more input was found while the run was under way.
  package mutating func countInput() { inputs += 1 }

  /// A signal ended the run between its parts.
  package mutating func interrupt(signal: Int32?) { self.signal = self.signal ?? signal }

  /// Adds another run to this one.
  package mutating func add(_ other: RunSummary) {
    inputs += other.inputs
    done += other.done
    skipped += other.skipped
    failures += other.failures
    notReached += other.notReached
    signal = signal ?? other.signal
    seconds += other.seconds
    bottleneck = other.bottleneck ?? bottleneck
  }

  /// The run is over.
  ///
  /// - Parameters:
  ///   - report: What the pipeline took.
  ///   - signal: The signal that ended it early, if one did.
  ///   - isAbandoned: Whether the rest was left to another process.
  /// - Precondition: Every input was counted once; if it came to its end, none is left over.
  package mutating func finish(
    _ report: StageReport, signal: Int32? = nil, isAbandoned: Bool = false
  ) {
    if isAbandoned, signal == nil { inputs = done + skipped + failures.count }
    notReached = inputs - done - skipped - failures.count
    precondition(
      notReached >= 0 && (signal != nil || notReached == 0),
      "\(inputs) inputs, and \(done) done + \(skipped) skipped + \(failures.count) failed")
    // A signal that came when all was done stopped nothing.
    self.signal = notReached > 0 ? signal : nil
    seconds = report.elapsed.inSeconds
    bottleneck = report.bottleneck
  }

  /// What the program tells the shell.
  package var status: ExitStatus {
    if let signal { return .interrupted(signal: signal) }
    if failures.isEmpty { return .allDone }
    return done + skipped > 0 ? .someFailed : .nothingDone
  }
}

// MARK: For a person

extension RunSummary {
  /// A line or two, and each failure.
  ///
  /// - Parameters:
  ///   - verb: What was done: "encoded".
  ///   - listedFailures: How many failures to list.
  /// - Returns: The text, without a line's end at its end.
  package func text(verb: String, listedFailures: Int = 20) -> String {
    var parts = ["\(done) \(verb)"]
    if skipped > 0 { parts.append("\(skipped) up to date") }
    if !failures.isEmpty { parts.append("\(failures.count) failed") }
    if notReached > 0 { parts.append("\(notReached) not reached") }
    let time = Duration.seconds(seconds)
    var lines = ["\(parts.joined(separator: ", ")) of \(inputs) in \(time.summaryText)"]
    if done > 0, let bottleneck {
      lines[0] += " (slowest stage: \(bottleneck.rawValue))"
    }
    if !failures.isEmpty { lines.append("failed:") }
    for failure in failures.prefix(listedFailures) {
      lines.append("  \(failure)")
    }
    if failures.count > listedFailures {
      lines.append("  … and \(failures.count - listedFailures) more (--json lists all)")
    }
    if notReached > 0 { lines.append("run the same command again to continue") }
    return lines.joined(separator: "\n")
  }
}

// MARK: For a program

/// Values as lines of JSON.
package enum JSONLines {
  /// One value as one line, keys sorted and in `snake_case`, without the line's end.
  ///
  /// Numbers that JSON doesn't have become strings: `"inf"` is the PSNR of equal pictures.
  ///
  /// - Throws: `EncodingError`.
  package static func line(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// A summary that several threads add to.
package final class RunRecorder: Sendable {
  private let summary: Mutex<RunSummary>

  /// A recorder that starts from `summary`.
  package init(_ summary: RunSummary) {
    self.summary = Mutex(summary)
  }

  /// Adds to the summary.
  package func update(_ body: (inout RunSummary) -> Void) {
    summary.withLock { body(&$0) }
  }

  /// The summary as it stands.
  package var current: RunSummary { summary.withLock { $0 } }
}
