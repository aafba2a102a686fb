/// What a file is that stands where a result should go.
package enum ExistingOutput: Equatable, Sendable {
  /// It is the result: the same input, the same settings. It is left as it is.
  case upToDate
  /// It is a result of this program, of another input or other settings. It is made anew.
  case outdated
  /// This program did not make it. It is not touched, except by force.
  case foreign
}

/// Why a result is not written: someone else's file is in its place.
package struct RefusedOverwrite: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file that is kept.
  package var path: String

  package init(path: String) {
    self.path = path
  }

  package var description: String {
    "\(path) exists and was not made from this input by lvae; choose another folder with -o, "
      + "or replace it with --force"
  }
}

/// How a run continues one that was stopped, without overwriting what isn't its own.
package enum ResumeRule {
  /// Whether `file` is done already.
  ///
  /// - Parameters:
  ///   - file: The input and its output.
  ///   - force: Make it in any case.
  ///   - examine: Looks into the output, which exists: reads its header and compares. An error
  ///     means that it can't be read, so it isn't known as ours.
  /// - Returns: True to skip the file, false to make it.
  /// - Throws: ``RefusedOverwrite``.
  package static func isUpToDate(
    _ file: PlannedFile, force: Bool, examine: (PlannedFile) throws -> ExistingOutput
  ) throws(RefusedOverwrite) -> Bool {
    guard !force, (try? SystemCalls.status(of: file.outputPath, followingLinks: false)) != nil
    else { return false }
    switch (try? examine(file)) ?? .foreign {
    case .upToDate: return true
    case .outdated: return false
    case .foreign: throw RefusedOverwrite(path: file.outputPath)
    }
  }
}
