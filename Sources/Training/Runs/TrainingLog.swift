import Foundation
import Glibc
import Pipelines
import Tensors

/// The numbers of a run over its steps: a file with a JSON object a line, to which lines are added.
///
/// A line has `step` and any numbers by name: `{"step":40,"loss":0.31,"validation.psnr":27.9}`.
/// Numbers that are infinite or NaN are written as `null` and read as NaN.
public struct TrainingLog: Sendable {
  /// The numbers of a step.
  public struct Entry: Sendable {
    /// How many steps were made when they were taken.
    public var step: Int
    /// Names and numbers, in the order in which they are written.
    public var values: [(name: String, value: Double)]

    /// The numbers of a step.
    public init(step: Int, values: [(name: String, value: Double)]) {
      self.step = step
      self.values = values
    }

    /// A number by its name.
    public subscript(name: String) -> Double? { values.first { $0.name == name }?.value }
  }

  /// The file's path.
  public let path: String
  /// All lines so far.
  public private(set) var entries: [Entry]
  private let file: LogFile

  /// Opens the log of a run; a new run begins with none.
  ///
  /// Lines beyond the step that the run goes on from are cut off, and so is a last line that isn't
  /// whole: the run makes those steps again.
  ///
  /// - Parameters:
  ///   - path: The file's path.
  ///   - step: How many steps the run has made: 0 for a new run.
  /// - Throws: an error that names the file if it can't be read or written.
  public init(path: String, resumingAfter step: Int) throws {
    let all = FileManager.default.fileExists(atPath: path) ? try Self.read(path: path) : []
    let entries = step == 0 ? [] : all.filter { $0.step <= step }
    let text = entries.map { $0.line }.joined()
    try AtomicFile.write(Array(text.utf8), to: path)
    self.path = path
    self.entries = entries
    file = LogFile(try FileDescriptor(opening: path, O_WRONLY | O_APPEND))
  }

  /// Adds a line.
  ///
  /// - Throws: an error that names the file, for instance on a full disk.
  public mutating func append(_ entry: Entry) throws {
    entries.append(entry)
    try file.descriptor.write(Array(entry.line.utf8).span)
  }

  /// The lines of a log, also of a run that is going on; lines that aren't whole are left out.
  ///
  /// - Throws: an error that names the file if it can't be read.
  public static func read(path: String) throws -> [Entry] {
    let bytes = try Data(contentsOf: URL(filePath: path))
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { Entry(line: Array($0)) }
  }

  /// The points of a number, step by step.
  public static func series(_ name: String, in entries: [Entry]) -> [(step: Int, value: Double)] {
    entries.compactMap { entry in entry[name].map { (entry.step, $0) } }
  }
}

/// The open file, which is only added to.
private final class LogFile: @unchecked Sendable {
  let descriptor: FileDescriptor

  init(_ descriptor: FileDescriptor) {
    self.descriptor = descriptor
  }
}

extension TrainingLog.Entry {
  /// The line of the log, without its end.
  public var text: String { String(line.dropLast()) }

  fileprivate var line: String {
    var object: JSONObject = ["step": JSONValue(step)]
    for (name, value) in values where name != "step" {
      object[name] = value.isFinite ? JSONValue(value) : .null
    }
    return JSONValue.object(object).text + "\n"
  }

  fileprivate init?(line: [UInt8]) {
    guard case .object(let object)? = try? JSONParser.parse(line, depthLimit: 4),
      let step = object["step"]?.integer(as: Int.self)
    else { return nil }
    var values: [(name: String, value: Double)] = []
    for member in object.members where member.key != "step" {
      guard let value = member.value == .null ? .nan : member.value.double else { continue }
      values.append((member.key, value))
    }
    self.init(step: step, values: values)
  }
}
