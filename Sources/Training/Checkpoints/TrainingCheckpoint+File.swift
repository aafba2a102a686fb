import Foundation
import Pipelines
import Tensors

extension TrainingCheckpoint {
  /// The version of what the metadata hold.
  private static let format = "lvae-training-1"

  private enum Key {
    static let format = "format"
    static let step = "step"
    static let settings = "settings"
    static let architecture = "architecture"
    static let counters = "counters"
    static let checksum = "crc32"
  }

  /// Writes the file, which appears under its name only when it is whole and on the disk.
  ///
  /// - Throws: `FileError`, for instance where the disk is full; what was there before stays.
  package func write(to path: String) throws {
    let file = try AtomicFile(replacing: path)
    var notes = metadata
    notes[Key.checksum] = checksum(of: notes)
    try Safetensors.encode(tensors: tensors.map { ($0.key, $0.value) }, metadata: notes) {
      try file.write($0)
    }
    try file.commit()
  }

  /// Reads a file and checks it in full.
  ///
  /// - Throws: ``TrainingCheckpointError``.
  package init(readingFrom path: String) throws(TrainingCheckpointError) {
    let file: Safetensors
    var tensors: [String: Tensor] = [:]
    do {
      file = try Safetensors(contentsOf: URL(filePath: path))
      for entry in file.entries where entry.scalarType == .float32 {
        tensors[entry.name] = try file.tensor(named: entry.name)
      }
    } catch {
      throw .unreadable(path: path, reason: "\(error)")
    }
    var notes = file.metadata
    guard notes[Key.format] == Self.format else {
      throw .notACheckpoint(
        path: path,
        reason: "its format is \(notes[Key.format]?.quotedBriefly ?? "not said") where this build "
          + "reads \(Self.format.quotedAsJSON)")
    }
    let checksum = notes.removeValue(forKey: Key.checksum)
    try self.init(notes, path: path)
    self.tensors = tensors
    guard file.entries.count == tensors.count, checksum == self.checksum(of: notes) else {
      throw .checksum(path: path)
    }
  }

  /// The run's settings, as those of a kind of run.
  ///
  /// - Throws: ``TrainingCheckpointError/notACheckpoint(path:reason:)`` if they aren't.
  func readSettings<Settings: RunConfiguration>(
    path: String
  ) throws(TrainingCheckpointError) -> Settings {
    do throws(TrainingSettingsError) {
      return try Settings(settings, source: path)
    } catch {
      throw .notACheckpoint(path: path, reason: error.description)
    }
  }

  /// What the metadata say.
  private init(_ notes: [String: String], path: String) throws(TrainingCheckpointError) {
    func object(_ key: String) throws(TrainingCheckpointError) -> JSONObject {
      guard let text = notes[key], let value = try? JSONParser.parse(Array(text.utf8)),
        case .object(let object) = value
      else { throw .notACheckpoint(path: path, reason: "\(key) isn't an object in JSON") }
      return object
    }
    guard let step = notes[Key.step].flatMap({ Int($0) }), step >= 0 else {
      throw .notACheckpoint(path: path, reason: "it doesn't say its step")
    }
    self.init(
      step: step, settings: try object(Key.settings), architecture: try object(Key.architecture))
    for member in try object(Key.counters).members {
      counters[member.key] = member.value.integer(as: Int.self)
    }
  }

  private var metadata: [String: String] {
    var counts = JSONObject()
    for (name, count) in counters.sorted(by: { $0.key < $1.key }) {
      counts[name] = JSONValue(count)
    }
    return [
      Key.format: Self.format, Key.step: String(step),
      Key.settings: JSONValue.object(settings).text,
      Key.architecture: JSONValue.object(architecture).text,
      Key.counters: JSONValue.object(counts).text,
    ]
  }

  /// The checksum over the metadata and all tensors, in the order of their names.
  private func checksum(of notes: [String: String]) -> String {
    var crc = CRC32()
    for (key, text) in notes.sorted(by: { $0.key < $1.key }) {
      crc.update(Array("\(key)\n\(text)\n".utf8).span)
    }
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      crc.update(Array("\(name) \(tensor.shape)\n".utf8).span)
      crc.update(tensor.bytes(as: .float32).span)
    }
    return String(crc.value, radix: 16)
  }
}
