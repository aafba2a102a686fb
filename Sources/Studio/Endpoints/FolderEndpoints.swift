import Foundation
import Images
import LatentFiles
import Pipelines
import Tensors

/// Files of the folders that the command line names.
enum FolderEndpoints {
  static func add(to router: inout Router) {
    router.add("GET", "/api/files", list)
    router.add("GET", "/api/files/:id", facts)
    router.add("GET", "/api/files/:id/thumbnail", thumbnail)
    router.add("GET", "/api/files/:id/content", content)
    router.add("POST", "/api/workspace/:name", save)
  }

  private static func list(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    return try await site.small.run(for: request.connection) { _ in
      let files = site.folders.walk().map { file in
        JSONValue.object([
          "id": .string(file.identifier), "name": .string(file.input.relativePath),
          "kind": .string(file.isLatent ? "latent" : "picture"),
        ])
      }
      return .json(["files": .array(files)])
    }
  }

  private static func facts(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let file = try site.folders.file(request.parameter("id"))
    return try await site.small.run(for: request.connection) { _ in
      var object: JSONObject = ["name": .string(file.input.relativePath)]
      let facts =
        file.isLatent
        ? try latentFacts(file)
        : try CodecEndpoints.facts(of: bytes(of: file, site), limits: site.imageLimits)
      for member in facts.members { object[member.key] = member.value }
      return .json(object)
    }
  }

  private static func latentFacts(_ file: OpenFolders.File) throws -> JSONObject {
    let header = try LatentFile.readHeader(contentsOf: file.input.url)
    let attributes = try? FileManager.default.attributesOfItem(atPath: file.input.path)
    var object: JSONObject = [
      "kind": .string("latent"), "bytes": JSONValue((attributes?[.size] as? Int) ?? 0),
      "payload_bytes": JSONValue(header.payloadByteCount),
    ]
    object["header"] = header.jsonValue
    return object
  }

  private static func bytes(of file: OpenFolders.File, _ site: Site) throws -> [UInt8] {
    try FileReading.bytes(of: file.input, limit: site.settings.limits.byteCount)
  }

  /// The longest side of a thumbnail.
  private static let thumbnailSide = 192

  private static func thumbnail(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let file = try site.folders.file(request.parameter("id"))
    return try await site.small.run(for: request.connection) { _ in
      let image =
        file.isLatent
        ? try projection(of: LatentFile(contentsOf: file.input.url))
        : try Image(decoding: bytes(of: file, site), limits: site.imageLimits)
      let small = image.thumbnail(longestSide: thumbnailSide).eightBit()
      var response = try CodecEndpoints.picture(
        small, small.channels.hasAlpha || file.isLatent ? .png(compression: 1) : .jpeg(quality: 82))
      response.headers = [("Cache-Control", "private, max-age=300")]
      return response
    }
  }

  /// A file's latent through the projection in its header, a pixel a place; nothing is decoded.
  private static func projection(of file: LatentFile) throws -> Image {
    guard let preview = file.metadata.preview else {
      throw Problem.notFound("the file has no projection for a thumbnail")
    }
    let latent = file.latent.dequantized()
    let count = file.metadata.values == .moments ? latent.shape[3] / 2 : latent.shape[3]
    return Image(preview.colors(of: latent.channels(0..<count)))
  }

  private static func content(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let file = try site.folders.file(request.parameter("id"))
    return try await site.small.run(for: request.connection) { _ in
      let bytes = try bytes(of: file, site)
      guard let format = ImageFormat(firstBytes: bytes) else { return .binary(bytes) }
      return Response(contentType: CodecEndpoints.mediaType(format), bytes: bytes)
    }
  }

  private static func save(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let name = request.parameter("name")
    let bytes = try await request.body.bytes(limit: site.settings.limits.byteCount)
    return try await site.small.run(for: request.connection) { _ in
      try site.folders.save(bytes, as: name)
      return .json(["name": .string(name), "bytes": JSONValue(bytes.count)], status: 201)
    }
  }
}
