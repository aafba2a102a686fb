import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Studio
import Tensors
import TestSupport
import Testing

@Suite struct CodecEndpointsTests {
  private let site: Site
  private let picture: [UInt8]
  private let codec: LatentCodec

  init() throws {
    site = try makeSite()
    picture = try pngFile()
    codec = LatentCodec(try #require(try EmbeddedModels.load("emoji")))
  }

  @Test(arguments: ["int8", "int4", "f32"])
  func encodingGivesTheFileThatTheCodecGives(storage: String) async throws {
    let answer = try await site.ask(
      "POST", "/api/encode?model=emoji&storage=\(storage)", body: picture)
    let expected = try codec.encode(
      Image(decoding: picture), sourceSHA256: SHA256.hexadecimal(of: picture),
      options: EncodingOptions(storage: try #require(LatentStorage(rawValue: storage))))
    #expect(answer.status == 200)
    #expect(answer.bytes == (try expected.encoded()))
  }

  @Test func decodingGivesThePictureThatTheCodecGives() async throws {
    let file = try codec.encode(Image(decoding: picture))
    let answer = try await site.ask("POST", "/api/decode", body: try file.encoded())
    #expect(answer.contentType == "image/png")
    #expect(try Image(decoding: answer.bytes).samples == codec.decode(file).samples)
    let jpeg = try await site.ask(
      "POST", "/api/decode?format=jpeg&quality=80", body: try file.encoded())
    #expect(ImageFormat(firstBytes: jpeg.bytes) == .jpeg)
  }

  @Test func inspectingTellsTheHeader() async throws {
    let file = try codec.encode(Image(decoding: picture), options: EncodingOptions(storage: .int6))
    let answer = try await site.ask("POST", "/api/inspect", body: try file.encoded())
    guard case .object(let header)? = answer.json["header"],
      case .object(let storage)? = header["storage"]
    else {
      Issue.record("no header in \(answer.json)")
      return
    }
    #expect(storage["type"] == .string("int6"))
    let facts = try await site.ask("POST", "/api/inspect", body: picture)
    #expect(facts.json["width"] == .number("48") && facts.json["height"] == .number("40"))
  }

  @Test(arguments: [
    ("/api/encode", 400), ("/api/encode?storage=int9", 400), ("/api/encode?colour=red", 400),
    ("/api/encode?model=nobody", 404), ("/api/encode?model=../../etc/passwd", 404),
    ("/api/encode?values=moments&model=photo", 400), ("/api/decode", 400), ("/api/inspect", 400),
  ])
  func badRequestsAreRefusedWithDetails(target: String, status: Int) async throws {
    let body = target.contains("?") ? picture : [UInt8]("no picture".utf8)
    let answer = try await site.ask("POST", target, body: body)
    #expect(answer.status == status)
    #expect(answer.contentType == "application/problem+json")
    #expect(answer.text("detail")?.isEmpty == false)
  }

  @Test(arguments: ["/api/inspect", "/api/latents"])
  func whereEitherWouldDoTheRefusalSaysSo(target: String) async throws {
    let answer = try await site.ask("POST", target, body: [UInt8]("no picture".utf8))
    #expect(answer.status == 400)
    #expect(answer.text("detail")?.contains("neither a picture in PNG, JPEG or WebP nor") == true)
  }

  @Test func everyBeginningOfAFileIsRefusedAndNoneEndsTheServer() async throws {
    let file = try codec.encode(Image(decoding: picture)).encoded()
    for count in stride(from: 0, to: file.count, by: 37) {
      let answer = try await site.ask("POST", "/api/decode", body: Array(file[..<count]))
      #expect(answer.status == 400)
    }
  }

  @Test func tooManyBytesOrPixelsAreRefused() async throws {
    let bytes = [UInt8](repeating: 0, count: (1 << 20) + 1)
    #expect(try await site.ask("POST", "/api/encode", body: bytes).status == 413)
    let wide = try Image(
      width: 1024, height: 300, channels: .grey,
      samples: .eightBit([UInt8](repeating: 7, count: 1024 * 300))
    ).encoded(as: .png())
    #expect(try await site.ask("POST", "/api/encode", body: wide).status == 413)
  }

  @Test func modelsAndSamplesAreListed() async throws {
    let models = try await site.ask("GET", "/api/models").json
    #expect(models["default_autoencoder"] == .string("photo"))
    #expect(models["diffusion"] == .array(DiffusionModels.names.map { .string($0) }))
    let sample = try await site.ask("GET", "/api/samples/cat")
    #expect(ImageFormat(firstBytes: sample.bytes) == .png)
    #expect(try await site.ask("GET", "/api/samples/dog").status == 404)
  }

  @Test func requestsAreCounted() async throws {
    _ = try await site.ask("GET", "/api/samples")
    _ = try await site.ask("GET", "/api/samples/dog")
    let text = String(decoding: try await site.ask("GET", "/metrics").bytes, as: UTF8.self)
    #expect(
      text.contains(
        #"lvae_requests_total{route="/api/samples/:name",method="GET",status="404"} 1"#))
    #expect(
      text.contains(#"lvae_requests_total{route="/api/samples",method="GET",status="200"} 1"#))
    #expect(text.contains("lvae_jobs_waiting{queue=\"quick\"} 0"))
  }
}
