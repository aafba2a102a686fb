import Foundation
import Images
import Pipelines
import Studio
import Tensors
import TestSupport
import Testing

@Suite struct DrawingEndpointsTests {
  private let site: Site

  init() throws { site = try makeSite() }

  private func draw(_ json: String, _ target: String = "/api/diffuse") async throws -> Response {
    try await site.ask("POST", target, body: Array(json.utf8))
  }

  private func pictures(_ options: DiffusionOptions, count: Int, labels: [Int]) throws -> [Image] {
    try DiffusionPipeline(DiffusionModels.load(nil), options: options)
      .pictures(count: count, labels: labels)
  }

  @Test func aDrawingIsThatOfThePipeline() async throws {
    let answer = try await draw(#"{"class":"clock","seed":3,"steps":3,"guidance":2}"#)
    let expected = try pictures(
      DiffusionOptions(stepCount: 3, guidance: 2, seed: 3), count: 1, labels: [1])
    #expect(try Image(decoding: answer.bytes).samples == expected[0].samples)
    let settings = try #require(GeneratedPictures.settings(in: answer.bytes))
    #expect(settings["class"] == .string("clock"))
  }

  @Test func stepsAreToldOneByOne() async throws {
    let answer = try await draw(#"{"count":2,"seed":3,"steps":3}"#, "/api/diffuse/stream")
    #expect(answer.contentType == "text/event-stream")
    let events = await answer.events()
    #expect(
      events.map(\.name) == [
        "start", "step", "step", "step", "picture", "step", "step", "step", "picture", "done",
      ])
    let expected = try pictures(DiffusionOptions(stepCount: 3, seed: 3), count: 2, labels: [0, 1])
    let drawn = try events.filter { $0.name == "picture" }.map { try picture($0.data, "png") }
    #expect(drawn.map(\.samples) == expected.map(\.samples))
    let preview = try picture(events[3].data, "preview")
    #expect(preview.width == expected[0].width)
    // The last step's picture without noise is the picture.
    #expect(preview.peakSignalToNoiseRatio(to: expected[0]) > 20)
  }

  private func picture(_ data: JSONObject, _ key: String) throws -> Image {
    guard case .string(let text)? = data[key], let bytes = Data(base64Encoded: text) else {
      throw Problem.badRequest("no picture \(key)")
    }
    return try Image(decoding: [UInt8](bytes))
  }

  @Test func theCommandMakesTheSamePictures() async throws {
    let answer = try await draw(
      #"{"count":2,"first":4,"class":"food","seed":3,"steps":3,"scheduler":"euler"}"#,
      "/api/diffuse/stream")
    let start = try #require(await answer.events().first)
    #expect(
      start.data["command"]
        == .string(
          "lvae diffuse-sample -n 2 --first 4 --class food --seed 3 --scheduler euler --steps 3 "
            + "--guidance 2.5 -o drawn.png"))
  }

  @Test func aDrawingIsStopped() async throws {
    let answer = try await draw(#"{"count":8,"steps":200}"#, "/api/diffuse/stream")
    guard case .events(let channel) = answer.body else {
      Issue.record("no events")
      return
    }
    var last = ""
    var count = 0
    for await piece in channel.stream {
      channel.taken()
      last = String(decoding: piece, as: UTF8.self)
      count += 1
      if last.hasPrefix("event: start") {
        let id = String(try #require(last.split(separator: "\"").first { $0.count == 32 }))
        let answer = try await site.ask("DELETE", "/api/diffuse/\(id)")
        #expect(answer.status == 204, "\(id): \(answer.text("detail") ?? "")")
      }
    }
    #expect(last.hasPrefix("event: stopped"))
    #expect(count < 200)
    #expect(
      try await site.ask("DELETE", "/api/diffuse/\(String(repeating: "0", count: 32))").status
        == 404)
  }

  @Test func onlyThePaintedPartChanges() async throws {
    let image = samplePicture(64, 64)
    let half = Image(
      width: 64, height: 64, channels: .grey,
      samples: .eightBit((0..<4096).map { $0 % 64 < 32 ? 255 : 0 }))
    func base64(_ image: Image) throws -> String {
      Data(try image.encoded(as: .png())).base64EncodedString()
    }
    let answer = try await draw(
      "{\"steps\":4,\"init_image\":\"\(try base64(image))\",\"mask_image\":\"\(try base64(half))\"}"
    )
    let drawn = try Image(decoding: answer.bytes)
    let right = { (image: Image) in image.cropped(x: 32, y: 0, width: 32, height: 64).samples }
    #expect(right(drawn) == right(image))
    #expect(drawn.samples != image.samples)
  }

  @Test(arguments: [
    "", "[]", "{", #"{"steps":0}"#, #"{"steps":100000}"#, #"{"steps":2.5}"#, #"{"count":1000}"#,
    #"{"class":"unicorn"}"#, #"{"scheduler":"best"}"#, #"{"guidance":"much"}"#, #"{"width":63}"#,
    #"{"strength":0.5}"#, #"{"init_image":"?!"}"#, #"{"init_image":"AAAA"}"#, #"{"colour":1}"#,
  ])
  func badRequestsAreRefused(json: String) async throws {
    for target in ["/api/diffuse", "/api/diffuse/stream"] {
      let answer = try await draw(json, target)
      #expect(answer.status == 400, "\(answer.text("detail") ?? "")")
    }
  }

  @Test func tooManyPixelsAndOtherModelsAreRefused() async throws {
    #expect(try await draw(#"{"width":1024,"height":1024}"#).status == 413)
    #expect(try await draw(#"{"model":"../emoji"}"#).status == 404)
  }
}
