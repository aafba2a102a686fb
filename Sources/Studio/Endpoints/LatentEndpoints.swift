import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Tensors
import Training

/// Latents that a client works with: sent once, then looked at, stored and edited many times.
enum LatentEndpoints {
  static func add(to router: inout Router) {
    router.add("POST", "/api/latents", open)
    router.add("POST", "/api/latents/sample", sample)
    router.add("GET", "/api/latents/:id", facts)
    router.add("DELETE", "/api/latents/:id", forget)
    router.add("GET", "/api/latents/:id/original", original)
    router.add("GET", "/api/latents/:id/compressed", compressed)
    router.add("GET", "/api/latents/:id/file", file)
    router.add("GET", "/api/latents/:id/reconstruction", reconstruction)
    router.add("GET", "/api/latents/:id/errors", errors)
    router.add("GET", "/api/latents/:id/references", references)
    router.add("GET", "/api/latents/:id/references/:codec", reference)
    router.add("GET", "/api/latents/:id/directions", directions)
    router.add("POST", "/api/latents/:id/values", values)
    router.add("POST", "/api/latents/:id/picture", picture)
  }

  // MARK: Coming and going

  private static func open(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check(["model"])
    let bytes = try await request.body.bytes(limit: site.settings.limits.byteCount)
    let name = request.query["model"]
    return try await site.quick.run(for: request.connection) { _ in
      let latent: OpenLatent
      if ImageFormat(firstBytes: bytes) != nil {
        let codec = try site.models.codec(named: name)
        latent = try OpenLatent(
          bytes, picture: Image(decoding: bytes, limits: site.imageLimits), codec: codec)
      } else {
        guard !bytes.isEmpty else { throw ImageError.empty }
        let file = try CodecEndpoints.reading { try CodecEndpoints.latentFile(bytes, site) }
        latent = try OpenLatent(
          file, byteCount: bytes.count, codec: site.models.codec(for: file.metadata.model))
      }
      return created(latent, site)
    }
  }

  private static func sample(_ request: Request, _ site: Site) async throws -> Response {
    let query = request.query
    try query.check(["model", "seed", "temperature", "width", "height"])
    let seed = try query.integer("seed", in: 0...UInt64.max) ?? 0
    let temperature = try query.number("temperature", in: 0...10) ?? 1
    let width = try query.integer("width", in: 1...8192) ?? 256
    let height = try query.integer("height", in: 1...8192) ?? 256
    guard width * height <= site.settings.limits.pixelCount else {
      throw Problem.tooLarge("\(width)×\(height) pixels are more than the limit")
    }
    return try await site.quick.run(for: request.connection) { _ in
      let codec = try site.models.codec(named: query["model"])
      let factor = codec.model.autoencoder.spatialFactor
      let latents = try LatentPrior(of: codec).latents(
        ofPicture: 0, seed: seed, temperature: temperature,
        rows: (height + factor - 1) / factor, columns: (width + factor - 1) / factor)
      return created(OpenLatent(latents, height: height, width: width, codec: codec), site)
    }
  }

  private static func created(_ latent: OpenLatent, _ site: Site) -> Response {
    let identifier = site.latents.add(latent)
    var response = Response.json(latent.json(identifier: identifier), status: 201)
    response.headers = [("Location", "/api/latents/\(identifier)")]
    return response
  }

  private static func facts(_ request: Request, _ site: Site) throws -> Response {
    try request.query.check([])
    let identifier = request.parameter("id")
    return .json(try site.latents.latent(identifier).json(identifier: identifier))
  }

  private static func forget(_ request: Request, _ site: Site) throws -> Response {
    try request.query.check([])
    try site.latents.remove(request.parameter("id"))
    return Response(status: 204, contentType: "text/plain; charset=utf-8", bytes: [])
  }

  // MARK: Compressing

  private static func original(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let latent = try site.latents.latent(request.parameter("id"))
    guard let picture = latent.original else {
      throw Problem.notFound("there is no original of this latent")
    }
    return try await site.quick.run(for: request.connection) { _ in
      try CodecEndpoints.picture(picture, .png(compression: 1))
    }
  }

  /// Runs `body` with the latent in the storage that the request names.
  private static func withCompressed(
    _ request: Request, _ site: Site,
    _ body: @escaping @Sendable (OpenLatent, OpenLatent.Compressed) throws -> Response
  ) async throws -> Response {
    try request.query.check(CodecEndpoints.encodingParameters)
    let options = try CodecEndpoints.encodingOptions(request.query)
    let latent = try site.latents.latent(request.parameter("id"))
    return try await site.quick.run(for: request.connection) { _ in
      try body(latent, latent.compressed(options))
    }
  }

  private static func compressed(_ request: Request, _ site: Site) async throws -> Response {
    try await withCompressed(request, site) { latent, result in
      .json(result.json(pixelCount: latent.width * latent.height))
    }
  }

  private static func file(_ request: Request, _ site: Site) async throws -> Response {
    try await withCompressed(request, site) { _, result in
      .binary(result.bytes, fileName: "picture.latent")
    }
  }

  private static func reconstruction(_ request: Request, _ site: Site) async throws -> Response {
    try await withCompressed(request, site) { _, result in
      try CodecEndpoints.picture(result.decoded, .png(compression: 1))
    }
  }

  private static func errors(_ request: Request, _ site: Site) async throws -> Response {
    try await withCompressed(request, site) { latent, result in
      guard let original = latent.original else {
        throw Problem.notFound("there is no original of this latent to compare with")
      }
      return try CodecEndpoints.picture(
        result.decoded.errorMap(to: original), .png(compression: 1))
    }
  }

  /// What JPEG and WebP make of the picture in as many bytes.
  private static func references(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check(["bytes"])
    let byteCount = try request.query.integer("bytes", in: 1...1 << 30) ?? 10_000
    let original = try picture(of: request, site)
    return try await site.quick.run(for: request.connection) { stop in
      var results: [JSONValue] = []
      let side = max(original.width, original.height)
      for codec in ReferenceCodec.allCases where side <= codec.sideLimit && !stop.isSet {
        let comparison = try CodecComparison(
          of: original, codec: codec, byteCounts: [byteCount], includesCurve: false)
        for result in comparison.nearest {
          var object: JSONObject = [
            "codec": .string(codec.name), "quality": JSONValue(result.quality),
            "bytes": JSONValue(result.measured.bytes),
            "bits_per_pixel": JSONValue(result.measured.bitsPerPixel),
            "ratio": JSONValue(
              Double(3 * original.pixelCount) / Double(max(1, result.measured.bytes))),
          ]
          for (key, value) in result.measured.likeness { object[key] = value }
          results.append(.object(object))
        }
      }
      return .json(["references": .array(results)])
    }
  }

  /// The picture in one of these formats.
  private static func reference(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check(["quality"])
    guard
      let codec = ReferenceCodec.allCases.first(where: { $0.name == request.parameter("codec") })
    else { throw Problem.notFound("there is no codec of this name; jpeg and webp are") }
    let quality = try request.query.integer("quality", in: codec.qualities) ?? 50
    let original = try picture(of: request, site)
    return try await site.quick.run(for: request.connection) { _ in
      Response(
        contentType: "image/\(codec.name)",
        bytes: try codec.encoded(original, quality: quality))
    }
  }

  private static func picture(of request: Request, _ site: Site) throws -> Image {
    guard let original = try site.latents.latent(request.parameter("id")).original else {
      throw Problem.notFound("there is no original of this latent to compare with")
    }
    return original
  }

  // MARK: Editing

  private static func directions(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let latent = try site.latents.latent(request.parameter("id"))
    return try await site.quick.run(for: request.connection) { _ in
      let covariance = try site.models.covariance(of: latent.codec)
      let directions = try LatentDirection.components(covariance.channelCount, of: covariance)
      return .json([
        "directions": .array(
          directions.map { direction in
            .object([
              "name": .string(direction.name),
              "standard_deviation": JSONValue(direction.standardDeviation),
              "explained_variance": JSONValue(direction.explainedVariance ?? 0),
            ])
          })
      ])
    }
  }

  /// Runs `body` with the edited latent.
  private static func withEdited(
    _ request: Request, _ site: Site, more parameters: Set<String> = [],
    _ body: @escaping @Sendable (OpenLatent, Tensor) throws -> Response
  ) async throws -> Response {
    try request.query.check(LatentEdit.parameters.union(parameters))
    let latent = try site.latents.latent(request.parameter("id"))
    let brush = try await request.body.bytes(limit: site.settings.limits.byteCount)
    let edit = try LatentEdit(request.query, of: latent, in: site.latents, brush: brush)
    return try await site.quick.run(for: request.connection) { _ in
      let values = try edit(latent, models: site.models)
      guard values.isFinite else {
        throw Problem.badRequest("the edited latent has numbers beyond all bounds")
      }
      return try body(latent, values)
    }
  }

  /// The edited numbers, `C × h × w` of float32, little-endian.
  private static func values(_ request: Request, _ site: Site) async throws -> Response {
    try await withEdited(request, site) { _, values in
      let scalars = values.channelsFirst().scalars
      var bytes: [UInt8] = []
      bytes.reserveCapacity(scalars.count * 4)
      for scalar in scalars {
        for shift in stride(from: 0, to: 32, by: 8) {
          bytes.append(UInt8(truncatingIfNeeded: scalar.bitPattern >> shift))
        }
      }
      return .binary(bytes)
    }
  }

  /// What the edited latent decodes to.
  private static func picture(_ request: Request, _ site: Site) async throws -> Response {
    let encoding = try CodecEndpoints.pictureEncoding(request.query)
    return try await withEdited(request, site, more: ["format", "quality"]) { latent, values in
      try CodecEndpoints.picture(
        try latent.codec.picture(of: values, height: latent.height, width: latent.width), encoding)
    }
  }
}

extension ReferenceCodec {
  /// What requests call it.
  fileprivate var name: String { rawValue.lowercased() }
}
