import LatentFiles
import Tensors
import TestSupport
import Testing

@Suite struct HostileHeaderTests {
  private let json: String
  private let frames: [UInt8]

  init() throws {
    let bytes = try Samples.file(height: 5, width: 7, channelCount: 2).encoded()
    json = try LatentFile.readHeader(decoding: bytes).json
    frames = try Handmade.frames(bytes)
  }

  /// The error of the sample file with one part of its header replaced.
  private func error(_ part: String, _ replacement: String) throws -> LatentFileError? {
    try #require(json.contains(part), "\(json) has no \(part)")
    let header = Handmade.headerFrame(json.replacing(part, with: replacement))
    return #expect(throws: LatentFileError.self, "\(replacement)") {
      try LatentFile(decoding: header + frames)
    }
  }

  @Test func theSampleIsRead() throws {
    _ = try LatentFile(decoding: Handmade.headerFrame(json) + frames)
  }

  @Test func aNewerVersionAsksForAnUpdate() throws {
    let newer = try error("\"version\":1", "\"version\":99")
    #expect(newer == .unsupportedVersion(found: 99, newest: 1))
    #expect(newer?.description.hasSuffix("reads up to 1; update lvae") == true)
  }

  @Test func anUnknownFeatureThatIsRequiredIsRefused() throws {
    let required = try error("\"version\":1", "\"version\":1,\"requires\":[\"tiles\"]")
    #expect(required == .unsupportedFeatures(["tiles"]))
  }

  @Test func unknownMembersAreKept() throws {
    let more =
      "\"version\":1,\"caption\":{\"text\":\"a cat\",\"score\":1.50e-3,\"tags\":[true,null]}"
    let header = Handmade.headerFrame(json.replacing("\"version\":1", with: more))
    let file = try LatentFile(decoding: header + frames)
    #expect(
      file.metadata.additional["caption"]?.text
        == "{\"text\":\"a cat\",\"score\":1.50e-3,\"tags\":[true,null]}")
    #expect(try LatentFile(decoding: file.encoded()) == file)
  }

  @Test func aKeyThatOccursTwiceIsRefused() throws {
    for part in ["\"version\":1,\"version\":1", "\"version\":1,\"v\\u0065rsion\":1"] {
      guard case .invalidJSON = try error("\"version\":1", part) else {
        Issue.record("\(part)")
        continue
      }
    }
  }

  @Test(arguments: [
    "[0,5,7]", "[-1,5,7]", "[2,5]", "[2,5,7,1]", "[2,5,7.0]", "[2,5,\"7\"]", "[2,5,8]", "[3,5,7]",
    "[2,5,1e9]", "[2,4611686018427387904,4611686018427387904]", "[9223372036854775807,5,7]",
    "[9223372036854775808,5,7]", "[2,9223372036854775807,1]", "[4096,1048576,1048576]", "{}",
    "null",
  ])
  func otherShapesAreRefused(shape: String) throws {
    _ = try error("[2,5,7]", shape)
  }

  @Test(arguments: [
    ("\"int8\"", "\"int9\""), ("\"int8\"", "8"), ("\"mean\"", "\"moments\""),
    ("\"mean\"", "\"mode\""),
    ("\"spatial_factor\":8", "\"spatial_factor\":0"),
    ("\"spatial_factor\":8", "\"spatial_factor\":4"), ("\"program\"", "\"programme\""),
    ("\"model\":{", "\"model\":[{"), ("\"class\"", "\"klass\""),
    ("0123456789abcdef", "0123456789ABCDEF"),
    ("0123456789abcdef", ""), ("\"width\":53", "\"width\":0"), ("\"width\":53", "\"width\":57"),
    ("\"height\":33", "\"height\":41"), ("\"orientation\":1", "\"orientation\":9"),
    ("\"alpha_bits\":0", "\"alpha_bits\":1"), ("\"rgb\"", "\"cmyk\""),
    ("\"source\":{", "\"alpha\":{\"bits\":8,\"filter\":0},\"source\":{"),
    ("\"alpha_bits\":0", "\"alpha_bits\":8},\"alpha\":{\"bits\":16,\"filter\":0"),
    ("\"alpha_bits\":0", "\"alpha_bits\":8},\"alpha\":{\"bits\":8,\"filter\":4"),
    ("\"filter\":[", "\"filter\":[0,"), ("\"filter\":[", "\"filter\":[4],\"f\":["),
    ("\"filter\":[", "\"filter\":[0,5],\"f\":["), ("\"filter\":[", "\"filter\":[0,-1],\"f\":["),
    ("\"scale\":[", "\"scale\":[1,"), ("\"scale\":[", "\"scale\":[-1,1],\"s\":["),
    ("\"scale\":[", "\"scale\":[1e999,1],\"s\":["), ("\"scale\":[", "\"scale\":[1e39,1],\"s\":["),
    ("\"scale\":[", "\"scale\":[3e38,1],\"s\":["), ("\"scale\":[", "\"scale\":[NaN,1],\"s\":["),
    ("\"scale\":[", "\"scale\":[null,1],\"s\":["), ("\"offset\":[", "\"offset\":[\"0\",1],\"o\":["),
    ("\"type\":\"int8\"", "\"type\":\"f32\""),
    ("\"scaling_factor\":0.18215", "\"scaling_factor\":1e39"),
    ("\"scaling_factor\":0.18215", "\"latents_mean\":[0]"),
    ("\"version\":1", "\"preview\":{\"matrix\":[[0,0],[0,0]],\"bias\":[0,0,0]},\"version\":1"),
    ("\"version\":1", "\"preview\":{\"matrix\":[[0,0],[0,0],[0]],\"bias\":[0,0,0]},\"version\":1"),
  ])
  func otherFieldsAreRefused(part: String, replacement: String) throws {
    _ = try error(part, replacement)
  }

  @Test(arguments: [
    "", " ", "1", "[]", "{", "}", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
    "nul",
    "\"", "\"\\", "\"\\u12\"", "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
    "\"\t\"",
    "01", "+1", "1.", ".5", "1e", "-", "--1", "0x1", "Infinity", "{}{}", "// c\n{}", "\u{FEFF}{}",
    String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
  ])
  func otherJSONIsRefused(text: String) throws {
    for header in [text, json.replacing("\"version\":1", with: "\"version\":1,\"x\":\(text)")]
    where !["1", " 1", "[]"].contains(text) || header == text {
      #expect(throws: LatentFileError.self, "\(text.prefix(40))") {
        try LatentFile.readHeader(decoding: Handmade.headerFrame(header))
      }
    }
  }

  /// Headers with a right checksum, cut, copied and changed at random.
  @Test func noHeaderTraps() throws {
    var source = SeededRandomSource(state: 42)
    func random(below bound: Int) -> Int { Int(source.next() >> 33) % max(1, bound) }
    let characters = Array("{}[]\",:0123456789-+.eEtruefalsn\\u ".utf8)
    var acceptedCount = 0
    for _ in 0..<5000 {
      var text = Array(json.utf8)
      for _ in 0...random(below: 3) {
        let start = random(below: text.count)
        let end = min(text.count, start + random(below: 12))
        switch random(below: 4) {
        case 0: text.removeSubrange(start..<end)
        case 1: text.insert(contentsOf: text[start..<end], at: random(below: text.count))
        case 2: text[start] = characters[random(below: characters.count)]
        default: text[start] = UInt8(random(below: 256))
        }
      }
      do {
        _ = try LatentFile(decoding: Handmade.headerFrame(text) + frames)
        acceptedCount += 1
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
    #expect(acceptedCount < 2500)
  }

  @Test func messagesShowNoControlCharacters() throws {
    let hostile = try error("\"int8\"", "\"\\u001b[2J\u{9B}\\u0007\"")
    let scalars = try #require(hostile?.description).unicodeScalars
    #expect(scalars.allSatisfy { $0.properties.generalCategory != .control })
  }

  @Test func textThatIsNotUTF8IsRefused() throws {
    var frame = Array(Handmade.headerFrame(json).dropLast(4))
    frame[20] = 0xFF
    let checksum = CRC32.checksum(frame.span)
    frame += (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
    #expect(throws: LatentFileError.invalidJSON(offset: 4, reason: "a string that isn't UTF-8")) {
      try LatentFile.readHeader(decoding: frame)
    }
  }

  @Test func metadataThatContradictTheLatentAreNotWritten() throws {
    var file = try Samples.file(channelCount: 3)
    file.metadata.values = .moments
    #expect(throws: LatentFileError.self) { try file.encoded() }
    file.metadata.values = .mean
    file.metadata.model.sha256 = "?"
    #expect(throws: LatentFileError.self) { try file.encoded() }
    file.metadata.model.sha256 = Samples.model.sha256
    file.alpha = Samples.alpha(height: 3, width: 3, bitDepth: 8)
    #expect(throws: LatentFileError.self) { try file.encoded() }
    file.alpha = nil
    file.metadata.source?.width = 10_000
    #expect(throws: LatentFileError.self) { try file.encoded() }
  }
}
