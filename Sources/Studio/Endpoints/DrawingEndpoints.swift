import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Schedulers
import Tensors

/// New pictures from noise: whole, or step by step as server-sent events.
enum DrawingEndpoints {
  static func add(to router: inout Router) {
    router.add("GET", "/api/diffusion/:name", model)
    router.add("POST", "/api/diffuse", draw)
    router.add("POST", "/api/diffuse/stream", stream)
    router.add("DELETE", "/api/diffuse/:id", stop)
  }

  private static func model(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let name = request.parameter("name")
    return try await site.quick.run(for: request.connection) { _ in
      let model = try site.models.diffusionModel(named: name)
      let factor = model.autoencoder.autoencoder.spatialFactor
      let schedulers = SchedulerName.allCases.filter { name in
        (try? name.configuration(forModelTrainedWith: model.scheduler)) != nil
      }
      return .json([
        "name": .string(name), "classes": .array(model.classNames.map { .string($0) }),
        "width": JSONValue(model.latentSize.width * factor),
        "height": JSONValue(model.latentSize.height * factor),
        "multiple": JSONValue(model.pictureFactor),
        "has_guidance": .boolean(model.nullLabel != nil),
        "scheduler": .string(model.scheduler.className.rawValue),
        "schedulers": .array(schedulers.map { .string($0.rawValue) }),
      ])
    }
  }

  private static func read(_ request: Request, _ site: Site) async throws -> DrawingRequest {
    try request.query.check([])
    let bytes = try await request.body.bytes(limit: site.settings.limits.byteCount)
    return try DrawingRequest(parsing: bytes, limits: site.settings.limits)
  }

  /// One picture, or all in a grid.
  private static func draw(_ request: Request, _ site: Site) async throws -> Response {
    let wanted = try await read(request, site)
    return try await site.slow.run(for: request.connection) { stop in
      let drawing = try PreparedDrawing(wanted, site)
      var images: [Image] = []
      for index in wanted.first..<wanted.first + wanted.count {
        let drawn = try drawing.pipeline.drawing(
          from: drawing.pipeline.noise(ofPicture: index), label: drawing.label(ofPicture: index),
          start: drawing.start
        ) { _ in !stop.isSet }
        guard let drawn else { throw CancellationError() }
        images.append(drawn.image)
      }
      let columns = Int(Double(images.count).squareRoot().rounded(.up))
      let image = images.count == 1 ? images[0] : ImageGrid(columnCount: columns).image(of: images)
      return Response(
        contentType: "image/png", bytes: try file(image, drawing, picture: wanted.first))
    }
  }

  private static func file(
    _ image: Image, _ drawing: PreparedDrawing, picture: Int
  ) throws -> [UInt8] {
    try GeneratedPictures(command: "lvae studio", force: false).file(
      of: image, note: drawing.command, settings: drawing.settings(ofPicture: picture))
  }

  private static func stop(_ request: Request, _ site: Site) throws -> Response {
    try request.query.check([])
    try site.drawings.stop(request.parameter("id"))
    return Response(status: 204, contentType: "text/plain; charset=utf-8", bytes: [])
  }

  // MARK: Step by step

  private static func stream(_ request: Request, _ site: Site) async throws -> Response {
    let wanted = try await read(request, site)
    let connection = request.connection
    // What is wrong with the request is said before the stream begins.
    let drawing = try await site.quick.run(for: connection) { _ in
      try PreparedDrawing(wanted, site)
    }
    let channel = EventChannel()
    let (identifier, stop) = site.drawings.begin()
    Task {
      do {
        try await site.slow.run(for: connection, isLimited: false) { queueStop in
          try DrawingStream(
            drawing: drawing, identifier: identifier, channel: channel, site: site,
            isStopped: { stop.isSet }, isGone: { queueStop.isSet || channel.isOver }
          ).run()
        }
      } catch {
        channel.send("error", ["detail": .string(Problem(error).detail)])
      }
      site.drawings.end(identifier)
      channel.finish()
    }
    return Response(events: channel)
  }
}

/// One drawing that is told step by step.
private struct DrawingStream {
  let drawing: PreparedDrawing
  let identifier: String
  let channel: EventChannel
  let site: Site
  /// Whether somebody asked for the end.
  let isStopped: () -> Bool
  /// Whether nobody listens any more.
  let isGone: () -> Bool

  /// Beyond so many pixels, previews are projections of the latent instead of decoded pictures.
  private static let decodedPixelLimit = 256 * 256

  func run() throws {
    let request = drawing.request
    let pipeline = drawing.pipeline
    let begin = ContinuousClock.now
    let stepCount = try drawing.stepCount()
    send(
      "start",
      [
        "id": .string(identifier), "pictures": JSONValue(request.count),
        "steps": JSONValue(stepCount), "width": JSONValue(pipeline.width),
        "height": JSONValue(pipeline.height), "command": .string(drawing.command),
      ])
    let codec = LatentCodec(pipeline.model.autoencoder)
    let preview = try site.models.preview(of: codec)
    for index in request.first..<request.first + request.count {
      var step = 0
      var failure: (any Error)?
      let drawn = try pipeline.drawing(
        from: pipeline.noise(ofPicture: index), label: drawing.label(ofPicture: index),
        start: drawing.start
      ) { progress in
        step += 1
        do {
          try tell(progress, step: step, of: stepCount, picture: index, codec, preview)
        } catch {
          failure = error
        }
        return failure == nil && !isStopped() && !isGone()
      }
      if let failure { throw failure }
      guard let drawn else {
        send("stopped", ["picture": JSONValue(index)])
        return
      }
      try tell(drawn, picture: index)
    }
    send("done", ["seconds": JSONValue((ContinuousClock.now - begin).inSeconds)])
  }

  private func send(_ name: String, _ object: JSONObject) {
    channel.send(name, object, unless: isGone)
  }

  /// The picture as it looks from this step, and the latent with its noise.
  private func tell(
    _ progress: LatentSampler.Progress, step: Int, of stepCount: Int, picture: Int,
    _ codec: LatentCodec, _ preview: LatentPreview
  ) throws {
    let pipeline = drawing.pipeline
    let scaling = codec.model.autoencoder.latentScaling
    let clean = scaling.toAutoencoder(progress.predictedOriginal)
    let decoded: Image =
      pipeline.width * pipeline.height <= Self.decodedPixelLimit
      ? try codec.picture(of: clean, height: pipeline.height, width: pipeline.width)
      : Image(preview.colors(of: clean))
    // Schedulers that count in σ let the numbers grow with the noise: shown as if of variance 1.
    let sample = progress.sample
    let deviation = (sample.sumOfSquares / Double(sample.shape.scalarCount)).squareRoot()
    let noisy = Image(
      preview.colors(of: scaling.toAutoencoder(sample * Float(1 / max(1, deviation)))))
    send(
      "step",
      [
        "picture": JSONValue(picture), "step": JSONValue(step), "steps": JSONValue(stepCount),
        "timestep": JSONValue(progress.step.timestep),
        "preview": .string(try Self.base64(decoded)), "noisy": .string(try Self.base64(noisy)),
      ])
  }

  private func tell(_ drawn: DiffusionPipeline.Drawing, picture: Int) throws {
    let bytes = try GeneratedPictures(command: "lvae studio", force: false).file(
      of: drawn.image, note: drawing.command, settings: drawing.settings(ofPicture: picture))
    var object: JSONObject = [
      "picture": JSONValue(picture), "png": .string(Data(bytes).base64EncodedString()),
    ]
    object["class"] = drawing.className(ofPicture: picture).map { .string($0) }
    send("picture", object)
  }

  private static func base64(_ image: Image) throws -> String {
    Data(try image.encoded(as: .png(compression: 1))).base64EncodedString()
  }
}
