/// What the program tells the shell when it ends.
package enum ExitStatus: Hashable, Sendable {
  /// All was done.
  case allDone
  /// Some inputs failed; all others were done.
  case someFailed
  /// The arguments make no sense.
  case usage
  /// Nothing could be done.
  case nothingDone
  /// A signal ended the run.
  case interrupted(signal: Int32)

  /// The number: 0, 1, 2, 3, or 128 + the signal's.
  package var code: Int32 {
    switch self {
    case .allDone: 0
    case .someFailed: 1
    case .usage: 2
    case .nothingDone: 3
    case .interrupted(let signal): 128 + signal
    }
  }
}
