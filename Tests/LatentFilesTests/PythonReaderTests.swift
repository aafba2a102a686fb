import Foundation
import LatentFiles
import Tensors
import TestSupport
import Testing

/// `Scripts/latent.py` reads what this module writes.
@Suite struct PythonReaderTests {
  private static let python =
    ProcessInfo.processInfo.environment["LVAE_PYTHON"] ?? "python3"

  private static let isAvailable: Bool = {
    (try? run("-c", "import numpy, zstandard")) != nil
  }()

  private static let scripts = SharedFiles.checkout.appending(path: "Scripts")

  /// What a Python program writes to standard output; it must succeed.
  private static func run(_ arguments: String...) throws -> [UInt8] {
    try TestSupport.output(ofProgram: "/usr/bin/env", [python] + arguments)
  }

  /// Prints the shape as text, then a line end, then the numbers.
  private static let program = """
    import sys
    sys.dont_write_bytecode = True
    sys.path.insert(0, sys.argv[1])
    import latent
    values, header = latent.load(sys.argv[2])
    print(*values.shape, values.dtype, header["model"]["name"], flush=True)
    sys.stdout.buffer.write(values.tobytes())
    """

  @Test(
    .enabled(if: isAvailable, "skipped: needs numpy and zstandard (set LVAE_PYTHON to a Python)"),
    arguments: LatentStorage.allCases)
  func pythonReadsTheSameNumbers(storage: LatentStorage) throws {
    let file = try Samples.file(
      height: 13, width: 7, channelCount: 3, storage: storage, alphaBitDepth: 8)
    try withTemporaryFile(try file.encoded()) { (url: URL) throws in
      let output = try Self.run("-c", Self.program, Self.scripts.path, url.path)
      let lineEnd = try #require(output.firstIndex(of: 0x0A))
      #expect(String(decoding: output[..<lineEnd], as: UTF8.self) == "3 13 7 float32 taesd")
      #expect(Array(output[(lineEnd + 1)...]) == planarBytes(file.latent.dequantized()))
    }
  }

  /// All predicting filters, in files that this module's writer does not make: their planes hold the numbers
  /// that a filter makes of them, whichever it is.
  @Test(
    .enabled(if: isAvailable, "skipped: needs numpy and zstandard (set LVAE_PYTHON to a Python)"),
    arguments: PlaneFilter.allCases.filter { $0 != .shuffle })
  func pythonUndoesEveryFilter(filter: PlaneFilter) throws {
    let bytes = try Samples.file(height: 9, width: 14, channelCount: 1).encoded()
    let header = try LatentFile.readHeader(decoding: bytes)
    let json = header.json.replacing(
      "\"filter\":[\(header.filters[0].rawValue)]", with: "\"filter\":[\(filter.rawValue)]")
    let handmade = Handmade.headerFrame(json) + (try Handmade.frames(bytes))
    let expected = try LatentFile(decoding: handmade).latent.dequantized()
    try withTemporaryFile(handmade) { (url: URL) throws in
      let output = try Self.run("-c", Self.program, Self.scripts.path, url.path)
      let lineEnd = try #require(output.firstIndex(of: 0x0A))
      #expect(Array(output[(lineEnd + 1)...]) == planarBytes(expected))
    }
  }

  @Test(
    .enabled(if: isAvailable, "skipped: needs numpy and zstandard (set LVAE_PYTHON to a Python)"))
  func pythonRefusesADamagedHeader() throws {
    var bytes = try Samples.file().encoded()
    bytes[40] ^= 1
    try withTemporaryFile(bytes) { (url: URL) throws in
      let program = Self.program.replacing(
        "values, header = latent.load(sys.argv[2])",
        with: "try: latent.load(sys.argv[2])\nexcept ValueError as error: sys.exit(print(error))")
      let output = try Self.run("-c", program, Self.scripts.path, url.path)
      #expect(String(decoding: output, as: UTF8.self) == "the header is damaged\n")
    }
  }

  /// The numbers channel by channel, as little-endian bytes.
  private func planarBytes(_ latent: Tensor) -> [UInt8] {
    let (scalars, channelCount) = (latent.scalars, latent.shape[3])
    return (0..<channelCount).flatMap { channel in
      stride(from: channel, to: scalars.count, by: channelCount).flatMap { index in
        (0..<4).map { UInt8(truncatingIfNeeded: scalars[index].bitPattern >> (8 * $0)) }
      }
    }
  }

  /// The reader keeps what headers have in common; it must see where they differ.
  @Test(
    .enabled(if: isAvailable, "skipped: needs numpy and zstandard (set LVAE_PYTHON to a Python)"))
  func pythonReadsHeadersLikeJSON() throws {
    let program = """
      import json, sys
      sys.dont_write_bytecode = True
      sys.path.insert(0, sys.argv[1])
      import latent
      good = ['{"version":1,"model":{"a":1,"b":[1]},"latent":{"s":2}}',
        '{"version":12,"model":{"a":1,"b":[1]},"latent":{"s":3},"preview":{}}',
        '{"version":1,"model":{"a":1,"b":[1]}}', '{"model":{"a":1,"b":[1],"c":"}"},"x":"{"}',
        '{"model":{"a":1},"model":{"a":2}}', '{ "model" : {"a":2} }', '{"model":null,"latent":{}}', '{}',
        r'{"model":{"a":1,"b":[1]},"a\\u0062":"\\""}', '[]', '3', '{"version":{"a":1}}', '{"version":{"a":1},"b":2}']
      bad = ['', '{', '{"model":{"a":2}', '{"model":{"a":2}}}', '{"model":{"a":2},}', '{"a"}', '{1:2}', '{"a":1"b":2}']
      for text in good * 2: assert latent.parse(text) == json.loads(text), text
      for text in bad:
        try: latent.parse(text)
        except json.JSONDecodeError: continue
        raise SystemExit(f"{text} was taken")
      """
    #expect(try Self.run("-c", program, Self.scripts.path).isEmpty)
  }
}
