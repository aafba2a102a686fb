import Foundation
import Images
import LatentFiles
import Pipelines
import Schedulers
import Tensors

/// Pictures ⇄ `.latent` files, for programs and for the page: nothing is kept of these requests.
enum CodecEndpoints {
  static func add(to router: inout Router) {
    router.add("GET", "/api/models", models)
    router.add("GET", "/api/samples", samples)
    router.add("GET", "/api/samples/:name", sample)
    router.add("POST", "/api/encode", encode)
    router.add("POST", "/api/decode", decode)
    router.add("POST", "/api/inspect", inspect)
  }

  private static func models(_ request: Request, _ site: Site) throws -> Response {
    try request.query.check([])
    let entries = site.models.entries.map { entry in
      JSONValue.object([
        "name": .string(entry.name), "class": .string(entry.className),
        "sha256": .string(entry.sha256), "spatial_factor": JSONValue(entry.spatialFactor),
        "latent_channels": JSONValue(entry.latentChannels),
        "parameters": JSONValue(entry.parameterCount),
      ])
    }
    var object: JSONObject = [
      "program": .string(Program.nameAndVersion), "autoencoders": .array(entries),
      "default_autoencoder": .string(site.models.defaultName),
      "storages": .array(LatentStorage.allCases.map { .string($0.rawValue) }),
      "diffusion": .array(site.models.diffusionNames.map { .string($0) }),
      "schedulers": .array(
        SchedulerName.allCases.map {
          .object(["name": .string($0.rawValue), "explanation": .string($0.explanation)])
        }),
      "default_steps": JSONValue(DiffusionOptions.defaultStepCount),
      "default_guidance": JSONValue(DiffusionOptions.defaultGuidance),
      "limits": .object(limits(site.settings.limits)),
      "has_workspace": .boolean(site.settings.workspace != nil),
      "has_folders": .boolean(site.folders.hasFolders),
      "has_runs": .boolean(!site.folders.runs.isEmpty),
    ]
    object["default_diffusion"] = site.models.defaultDiffusionName.map { .string($0) }
    return .json(object)
  }

  private static func limits(_ limits: StudioLimits) -> JSONObject {
    [
      "bytes": JSONValue(limits.byteCount), "pixels": JSONValue(limits.pixelCount),
      "steps": JSONValue(limits.stepCount), "pictures": JSONValue(limits.pictureCount),
    ]
  }

  private static func samples(_ request: Request, _ site: Site) throws -> Response {
    try request.query.check([])
    return .json(["samples": .array(SamplePicture.all.map { .string($0.name) })])
  }

  private static func sample(_ request: Request, _ site: Site) throws -> Response {
    try request.query.check([])
    guard let sample = SamplePicture.all.first(where: { $0.name == request.parameter("name") })
    else { throw Problem.notFound("there is no sample of this name") }
    return Response(contentType: "image/png", bytes: sample.bytes)
  }

  // MARK: Coding

  /// The parameters that ``encodingOptions(_:)`` reads.
  static let encodingParameters: Set<String> = ["storage", "values", "seed", "max_loss"]

  /// What is stored, and how.
  static func encodingOptions(_ query: Query) throws(Problem) -> EncodingOptions {
    var options = EncodingOptions()
    options.storage = try query.choice("storage", of: LatentStorage.self) ?? .int8
    options.values = try query.choice("values", of: LatentMetadata.Values.self) ?? .mean
    options.seed = try query.integer("seed", in: 0...UInt64.max) ?? 0
    options.maximumLoss = try query.number("max_loss", in: 0...100)
    return options
  }

  private static func encode(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check(encodingParameters.union(["model"]))
    let options = try encodingOptions(request.query)
    let bytes = try await request.body.bytes(limit: site.settings.limits.byteCount)
    let name = request.query["model"]
    return try await site.quick.run(for: request.connection) { _ in
      let codec = try site.models.codec(named: name)
      try codec.check(options)
      let image = try Image(decoding: bytes, limits: site.imageLimits)
      let file = try codec.encode(
        image, sourceSHA256: SHA256.hexadecimal(of: bytes), options: options)
      return .binary(try file.encoded(), fileName: "picture.latent")
    }
  }

  private static func decode(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check(["format", "quality"])
    let encoding = try pictureEncoding(request.query)
    let bytes = try await request.body.bytes(limit: site.settings.limits.byteCount)
    return try await site.quick.run(for: request.connection) { _ in
      let file = try latentFile(bytes, site)
      let image = try site.models.codec(for: file.metadata.model).decode(file, for: encoding)
      return try picture(image, encoding)
    }
  }

  /// A `.latent` file whose picture isn't larger than the limit.
  static func latentFile(_ bytes: [UInt8], _ site: Site) throws -> LatentFile {
    let header = try LatentFile.readHeader(decoding: bytes)
    let factor = header.metadata.spatialFactor
    let (pixels, overflow) = (header.width * factor).multipliedReportingOverflow(
      by: header.height * factor)
    guard !overflow, pixels <= site.settings.limits.pixelCount else {
      throw Problem.tooLarge(
        "the picture has \(header.width * factor)×\(header.height * factor) pixels, and the limit "
          + "is \(site.settings.limits.pixelCount)")
    }
    return try LatentFile(decoding: bytes)
  }

  /// Reads a file that is no picture as a `.latent` file, where either would do.
  static func reading<Result>(_ read: () throws -> Result) throws -> Result {
    do {
      return try read()
    } catch LatentFileError.notALatentFile {
      throw Problem.badRequest(
        "this is neither a picture in PNG, JPEG or WebP nor a .latent file; choose another")
    }
  }

  /// The format that `format=png|jpeg|webp` asks for.
  static func pictureEncoding(_ query: Query) throws(Problem) -> ImageEncoding {
    let quality = try query.integer("quality", in: 1...100) ?? 90
    switch query["format"] ?? "png" {
    case "png": return .png()
    case "jpeg": return .jpeg(quality: quality)
    case "webp": return .webP(quality: Float(quality))
    case let other: throw .badParameter("format", other, "one of png, jpeg, webp")
    }
  }

  /// A picture as an answer; a JPEG lies on white.
  static func picture(_ image: Image, _ encoding: ImageEncoding) throws -> Response {
    let image =
      encoding.format == .jpeg ? image.flattened(red: 255, green: 255, blue: 255) : image
    return Response(
      contentType: mediaType(encoding.format), bytes: try image.encoded(as: encoding))
  }

  static func mediaType(_ format: ImageFormat) -> String {
    switch format {
    case .png: "image/png"
    case .jpeg: "image/jpeg"
    case .webP: "image/webp"
    }
  }

  // MARK: Looking

  private static func inspect(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let bytes = try await request.body.bytes(limit: site.settings.limits.byteCount)
    return .json(try facts(of: bytes, limits: site.imageLimits))
  }

  /// What a `.latent` file's header says, or a picture that was drawn; of other pictures, their size.
  static func facts(of bytes: [UInt8], limits: ImageLimits) throws -> JSONObject {
    guard ImageFormat(firstBytes: bytes) != nil else {
      let header = try reading { try LatentFile.readHeader(decoding: bytes) }
      return [
        "kind": .string("latent"), "bytes": JSONValue(bytes.count),
        "payload_bytes": JSONValue(header.payloadByteCount), "header": header.jsonValue ?? .null,
      ]
    }
    let footprint = try ImageFootprint(ofPictureIn: bytes, limits: limits)
    var object: JSONObject = [
      "kind": .string("picture"), "bytes": JSONValue(bytes.count),
      "width": JSONValue(footprint.width), "height": JSONValue(footprint.height),
    ]
    object["settings"] = GeneratedPictures.settings(in: bytes).map { .object($0) }
    return object
  }
}
