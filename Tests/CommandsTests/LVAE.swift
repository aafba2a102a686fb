import Foundation
import Images
import LatentFiles
import Pipelines
import TestSupport

/// How a run of the program ended, and what it said.
struct Run {
  /// The exit status; 128 + the signal's number if a signal ended it.
  let status: Int32
  let output, errors: String

  /// The lines of JSON on standard output.
  var records: [[String: Any]] {
    output.split(separator: "\n").compactMap { line in
      try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    }
  }

  /// What the last line of JSON counts.
  func count(_ key: String) -> Int? {
    (records.last?["summary"] as? [String: Any])?[key] as? Int
  }
}

/// A folder to run the program in: two tiny models, pictures, and a store of models of its own.
final class Workspace {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try tinyAutoencoderKL().save(to: url("kl"))
    try tinyAutoencoderTiny().save(to: url("taesd"))
  }

  func callAsFunction(_ name: String) -> String { folder(name) }

  func url(_ name: String) -> URL { URL(filePath: folder(name)) }

  /// The program that was built with these tests.
  static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "lvae")

  // MARK: Running

  /// A run that isn't awaited; what it says goes to files in the folder.
  func start(
    _ arguments: [String], program: URL = Workspace.program
  ) throws -> (process: Process, result: () throws -> Run) {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["LVAE_MODELS": folder("store"), "LVAE": Workspace.program.path]) { $1 }
    process.standardInput = FileHandle.nullDevice
    let name = ".run-\(UUID().uuidString)"
    let files = ["\(name).out", "\(name).err"].map(url)
    let handles = try files.map { file in
      try Data().write(to: file)
      return try FileHandle(forWritingTo: file)
    }
    process.standardOutput = handles[0]
    process.standardError = handles[1]
    try process.run()
    return (
      process,
      {
        process.waitUntilExit()
        for handle in handles { try handle.close() }
        let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
        let isSignal = process.terminationReason == .uncaughtSignal
        return Run(
          status: process.terminationStatus + (isSignal ? 128 : 0), output: texts[0],
          errors: texts[1])
      }
    )
  }

  /// Runs `lvae` in the folder.
  func lvae(_ arguments: String...) throws -> Run { try start(arguments).result() }

  /// Runs a line of bash in the folder, where `$LVAE` is the program.
  func bash(_ line: String) throws -> Run {
    try start(["-c", line], program: URL(filePath: "/bin/bash")).result()
  }

  // MARK: Files

  func write(_ bytes: [UInt8], to name: String) throws {
    try FileManager.default.createDirectory(
      at: url(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url(name))
  }

  /// Writes a picture in the format of the name's extension.
  func add(_ name: String, _ image: Image = samplePicture()) throws {
    let encoding: ImageEncoding =
      switch url(name).pathExtension {
      case "jpg": .jpeg()
      case "webp": .webPLossless
      default: .png()
      }
    try write(try image.encoded(as: encoding), to: name)
  }

  func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(name))) }

  func image(_ name: String) throws -> Image { try Image(decoding: bytes(name)) }

  func latent(_ name: String) throws -> LatentFile { try LatentFile(contentsOf: url(name)) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder(name)) }

  /// The files below a folder, hidden ones too, sorted.
  func files(_ name: String) -> [String] {
    let below = FileManager.default.subpaths(atPath: folder(name)) ?? []
    return below.filter { path in
      let values = try? url("\(name)/\(path)").resourceValues(forKeys: [.isRegularFileKey])
      return values?.isRegularFile == true
    }.sorted()
  }
}
