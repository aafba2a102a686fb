import Foundation
import Tensors
import TestSupport
import Testing

/// Files and processes that last for one test.
enum Temporary {
  /// Calls `body` with a file that holds these bytes.
  static func file(_ bytes: [UInt8], _ body: (URL) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).latent")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(bytes).write(to: url)
    try body(url)
  }

  /// What a program writes to standard output; it must succeed.
  static func output(of program: String, _ arguments: [String]) throws -> [UInt8] {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
    let output = [UInt8](pipe.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(program) \(arguments)")
    return output
  }
}

/// The latents of real photographs among the reference files.
enum GoldenLatent {
  /// The latent of a file, `[1, H, W, C]`.
  static func load(_ name: String) throws -> Tensor {
    let data = [UInt8](
      try Data(contentsOf: SharedFiles.url("models/taesd/golden/\(name).safetensors")))
    let headerByteCount = data[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let json = try JSONDecoder().decode(
      Header.self, from: Data(data[8..<8 + headerByteCount]))
    let entry = json.latents
    let start = 8 + headerByteCount + entry.data_offsets[0]
    let (channels, height, width) = (entry.shape[1], entry.shape[2], entry.shape[3])
    var scalars = [Float](repeating: 0, count: channels * height * width)
    for index in scalars.indices {
      let bytes = data[start + 4 * index..<start + 4 * index + 4]
      let bits = bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let (channel, place) = (index / (height * width), index % (height * width))
      scalars[place * channels + channel] = Float(bitPattern: bits)
    }
    return Tensor(scalars, shape: [1, height, width, channels])
  }

  private struct Header: Decodable {
    let latents: Entry
  }

  private struct Entry: Decodable {
    let shape: [Int]
    let data_offsets: [Int]
  }
}
