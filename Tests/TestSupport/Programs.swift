import Foundation

/// A program that ended with another status than 0.
public struct ProgramFailure: Error, CustomStringConvertible {
  /// What was run, and how it ended.
  public let description: String
}

/// What a program writes to standard output.
///
/// - Throws: ``ProgramFailure`` if it fails.
public func output(ofProgram program: String, _ arguments: [String]) throws -> [UInt8] {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(filePath: program)
  process.arguments = arguments
  process.standardOutput = pipe
  try process.run()
  let output = [UInt8](pipe.fileHandleForReading.readDataToEndOfFile())
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw ProgramFailure(
      description: "\(program) \(arguments) ended with status \(process.terminationStatus)")
  }
  return output
}

/// Where a program lies among those that `PATH` names; nil if it isn't installed.
public func path(ofProgram program: String) -> String? {
  ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
    .map { "\($0)/\(program)" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }
}
