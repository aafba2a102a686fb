import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Studio
import Tensors
import TestSupport
import Testing

@Suite struct LatentEndpointsTests {
  private let site: Site
  private let picture: [UInt8]
  private let codec: LatentCodec

  init() throws {
    site = try makeSite()
    picture = try pngFile()
    codec = LatentCodec(try #require(try EmbeddedModels.load("emoji")))
  }

  private func open(_ bytes: [UInt8]? = nil) async throws -> String {
    let answer = try await site.ask("POST", "/api/latents?model=emoji", body: bytes ?? picture)
    #expect(answer.status == 201)
    return try #require(answer.text("id"))
  }

  /// The edited numbers, `C × h × w`.
  private func values(_ target: String, body: [UInt8] = []) async throws -> [Float] {
    let bytes = try await site.ask("POST", target, body: body).bytes
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      var pattern: UInt32 = 0
      for index in (0..<4).reversed() { pattern = pattern << 8 | UInt32(bytes[start + index]) }
      return Float(bitPattern: pattern)
    }
  }

  @Test func figuresAreThoseOfTheFile() async throws {
    let id = try await open()
    let figures = try await site.ask("GET", "/api/latents/\(id)/compressed?storage=int6").json
    let file = try await site.ask("GET", "/api/latents/\(id)/file?storage=int6").bytes
    let decoded = try codec.decode(LatentFile(decoding: file))
    #expect(figures["bytes"] == JSONValue(file.count))
    let psnr = decoded.peakSignalToNoiseRatio(to: try Image(decoding: picture))
    #expect(abs((figures["psnr"]?.double ?? 0) - psnr) < 1e-9)
    let shown = try await site.ask("GET", "/api/latents/\(id)/reconstruction?storage=int6").bytes
    #expect(try Image(decoding: shown).samples == decoded.samples)
  }

  @Test func aQualityPicksTheSmallestStorage() async throws {
    let id = try await open()
    func storage(_ loss: String) async throws -> String? {
      try await site.ask("GET", "/api/latents/\(id)/compressed?max_loss=\(loss)").text("storage")
    }
    #expect(try await storage("100") == "int4")
    #expect(try await storage("0.001") != "int4")
  }

  @Test func aFileIsOpenedAsItIs() async throws {
    let file = try codec.encode(Image(decoding: picture), options: EncodingOptions(storage: .int5))
    let id = try await open(try file.encoded())
    let answer = try await site.ask("GET", "/api/latents/\(id)")
    #expect(answer.text("origin") == "file")
    #expect(
      try await site.ask("GET", "/api/latents/\(id)/file?storage=f32").bytes == file.encoded())
    #expect(try await site.ask("GET", "/api/latents/\(id)/original").status == 404)
  }

  @Test func channelsAreDescribed() async throws {
    let id = try await open()
    let answer = try await site.ask("GET", "/api/latents/\(id)").json
    let latents = try codec.latents(of: Image(decoding: picture)).channelsFirst().scalars
    guard case .array(let channels)? = answer["channels"], case .object(let first)? = channels.first
    else {
      Issue.record("no channels in \(answer)")
      return
    }
    let own = latents.prefix(latents.count / 4).map(Double.init)
    #expect(channels.count == 4)
    #expect(abs((first["mean"]?.double ?? 9) - own.reduce(0, +) / Double(own.count)) < 1e-5)
    #expect((first["kl"]?.double ?? 0) > 0)
    #expect(answer["has_posterior"] == .boolean(true))
  }

  @Test func withoutEditsNumbersAndPictureAreTheCodecs() async throws {
    let id = try await open()
    let image = try Image(decoding: picture)
    let latents = try codec.latents(of: image)
    #expect(try await values("/api/latents/\(id)/values") == latents.channelsFirst().scalars)
    let shown = try await site.ask("POST", "/api/latents/\(id)/picture").bytes
    let expected = try codec.picture(of: latents, height: image.height, width: image.width)
    #expect(try Image(decoding: shown).samples == expected.samples)
  }

  @Test func channelsAreScaledAndShifted() async throws {
    let id = try await open()
    let plain = try await values("/api/latents/\(id)/values")
    let edited = try await values("/api/latents/\(id)/values?scale=0,2,1,1&shift=0,0,1,0")
    let count = plain.count / 4
    let deviation = try LatentDirection.channels([2], of: codec.model)[0].standardDeviation
    #expect(edited[..<count].allSatisfy { $0 == 0 })
    #expect((count..<2 * count).allSatisfy { edited[$0] == 2 * plain[$0] })
    #expect(
      (2 * count..<3 * count).allSatisfy {
        abs(edited[$0] - plain[$0] - Float(deviation)) < 1e-5
      })
    #expect(edited[(3 * count)...] == plain[(3 * count)...])
  }

  @Test func aBrushAddsItsNumbers() async throws {
    let id = try await open()
    let plain = try await values("/api/latents/\(id)/values")
    var brush = [UInt8](repeating: 0, count: plain.count * 4)
    // 2.5 as float32, little-endian.
    brush[6] = 0x20
    brush[7] = 0x40
    let edited = try await values("/api/latents/\(id)/values", body: brush)
    #expect(edited[1] == plain[1] + 2.5)
    #expect(edited[0] == plain[0] && edited[2...] == plain[2...])
    #expect(
      try await site.ask("POST", "/api/latents/\(id)/values", body: [1, 2, 3]).status == 400)
  }

  @Test func theWayLeadsFromOneToTheOther() async throws {
    let first = try await open()
    let second = try await open(samplePicture(48, 40, seed: 9).encoded(as: .png()))
    let end = try await values("/api/latents/\(second)/values")
    for way in ["lerp", "slerp"] {
      let found = try await values("/api/latents/\(first)/values?with=\(second)&t=1&way=\(way)")
      #expect(relativeError(found, end) < 1e-5)
    }
    let other = try await open(samplePicture(64, 40).encoded(as: .png()))
    let answer = try await site.ask("POST", "/api/latents/\(first)/values?with=\(other)")
    #expect(answer.status == 400)
  }

  @Test func movesGoAlongPrincipalComponents() async throws {
    let id = try await open()
    let plain = try await values("/api/latents/\(id)/values")
    let moved = try await values("/api/latents/\(id)/values?move=1:2")
    let back = try await values("/api/latents/\(id)/values?move=1:2,1:-2")
    #expect(relativeError(moved, plain) > 0.05)
    #expect(relativeError(back, plain) < 1e-5)
    #expect(try await site.ask("POST", "/api/latents/\(id)/values?move=9:1").status == 400)
  }

  @Test func thePosteriorIsSampledBySeed() async throws {
    let id = try await open()
    let plain = try await values("/api/latents/\(id)/values")
    let first = try await values("/api/latents/\(id)/values?noise=1&seed=1")
    #expect(first != plain)
    #expect(try await values("/api/latents/\(id)/values?noise=1&seed=1") == first)
    #expect(try await values("/api/latents/\(id)/values?noise=1&seed=2") != first)
  }

  @Test func thePriorIsThatOfTheCommandLine() async throws {
    let answer = try await site.ask(
      "POST", "/api/latents/sample?model=emoji&seed=5&width=32&height=32")
    let id = try #require(answer.text("id"))
    let shown = try await site.ask("POST", "/api/latents/\(id)/picture").bytes
    let expected = try codec.sample(
      LatentPrior(of: codec), picture: 0, seed: 5, height: 32, width: 32)
    #expect(try Image(decoding: shown).samples == expected.samples)
    #expect(try await site.ask("GET", "/api/latents/\(id)/file").status == 400)
  }

  @Test func referencesComeNearTheSize() async throws {
    let id = try await open()
    let answer = try await site.ask("GET", "/api/latents/\(id)/references?bytes=900").json
    guard case .array(let found)? = answer["references"] else {
      Issue.record("no references in \(answer)")
      return
    }
    #expect(found.count == 2)
    for case .object(let entry) in found {
      let quality = try #require(entry["quality"]?.integer(as: Int.self))
      guard case .string(let codec)? = entry["codec"] else { continue }
      let file = try await site.ask(
        "GET", "/api/latents/\(id)/references/\(codec)?quality=\(quality)")
      #expect(JSONValue(file.bytes.count) == entry["bytes"])
    }
  }

  @Test func whatWasUsedLongestAgoMakesRoom() async throws {
    let site = try makeSite { $0.limits.latentByteCount = 160_000 }
    func open() async throws -> String {
      try #require(
        try await site.ask("POST", "/api/latents?model=emoji", body: picture).text("id"))
    }
    let first = try await open()
    let second = try await open()
    _ = try await site.ask("GET", "/api/latents/\(first)")
    var status: [Int] = []
    for _ in 0..<4 {
      _ = try await open()
      _ = try await site.ask("GET", "/api/latents/\(first)")
    }
    for id in [first, second] {
      status.append(try await site.ask("GET", "/api/latents/\(id)").status)
    }
    #expect(status == [200, 404])
  }

  @Test func aForgottenLatentIsGone() async throws {
    let id = try await open()
    #expect(try await site.ask("DELETE", "/api/latents/\(id)").status == 204)
    #expect(try await site.ask("DELETE", "/api/latents/\(id)").status == 404)
    #expect(try await site.ask("POST", "/api/latents/\(id)/picture").status == 404)
  }
}
