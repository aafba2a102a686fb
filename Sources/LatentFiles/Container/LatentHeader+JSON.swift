import Tensors

extension LatentHeader {
  /// The keys of version 1; all others are kept in ``LatentMetadata/additional``.
  private static let keys: Set<String> = [
    "version", "requires", "program", "model", "latent", "storage", "source", "alpha", "preview",
  ]

  /// How deep the format lets values nest.
  private static let depthLimit = 16

  /// The header as JSON, without white space.
  public var json: String {
    var object: JSONObject = [
      "version": JSONValue(Self.version),
      "program": .string(metadata.program),
      "model": .object(modelObject),
      "latent": .object(latentObject),
      "storage": .object(storageObject),
    ]
    object["source"] = metadata.source.map { .object(Self.object(of: $0)) }
    object["alpha"] = alpha.map { alpha in
      .object(["bits": JSONValue(alpha.bitDepth), "filter": JSONValue(alpha.filter.rawValue)])
    }
    object["preview"] = metadata.preview.map { preview in
      .object([
        "matrix": .array(preview.matrix.map { JSONValue($0) }), "bias": JSONValue(preview.bias),
      ])
    }
    for member in metadata.additional.members where !Self.keys.contains(member.key) {
      object[member.key] = member.value
    }
    return JSONValue.object(object).text
  }

  private var modelObject: JSONObject {
    let model = metadata.model
    var object: JSONObject = [
      "name": .string(model.name), "class": .string(model.className),
      "sha256": .string(model.sha256),
      "scaling_factor": JSONValue(model.scalingFactor),
      "shift_factor": JSONValue(model.shiftFactor),
    ]
    object["latents_mean"] = model.latentsMean.map { JSONValue($0) }
    object["latents_std"] = model.latentsStd.map { JSONValue($0) }
    return object
  }

  private var latentObject: JSONObject {
    var object: JSONObject = [
      "shape": JSONValue([channelCount, height, width]),
      "spatial_factor": JSONValue(metadata.spatialFactor),
      "values": .string(metadata.values.rawValue),
    ]
    object["seed"] = metadata.seed.map { JSONValue($0) }
    return object
  }

  private var storageObject: JSONObject {
    var object: JSONObject = ["type": .string(storage.rawValue)]
    if storage.isInteger {
      object["scale"] = JSONValue(scales)
      object["offset"] = JSONValue(offsets)
    }
    object["filter"] = JSONValue(filters.map(\.rawValue))
    return object
  }

  private static func object(of source: LatentSource) -> JSONObject {
    var object: JSONObject = [
      "width": JSONValue(source.width), "height": JSONValue(source.height),
      "colour": .string(source.colour.rawValue), "alpha_bits": JSONValue(source.alphaBitDepth),
      "orientation": JSONValue(source.orientation),
    ]
    object["sha256"] = source.sha256.map { .string($0) }
    object["format"] = source.format.map { .string($0) }
    return object
  }
}

extension LatentHeader {
  /// The header that some JSON describes.
  init(json bytes: [UInt8], limits: LatentFileLimits) throws(LatentFileError) {
    let object = try Self.object(json: bytes)
    let fields = HeaderFields(object)
    // A later version may give every other key a new meaning: nothing is read before this.
    let version = try fields.integer("version", in: 1...Int.max)
    guard version <= Self.version else {
      throw .unsupportedVersion(found: version, newest: Self.version)
    }
    let required = try fields.optionalStrings("requires") ?? []
    guard required.isEmpty else { throw .unsupportedFeatures(required) }

    let latent = try fields.fields("latent")
    let shape = try latent.integers("shape", in: 1...Int.max)
    guard shape.count == 3 else {
      throw .invalidHeader(field: "latent.shape", reason: "has \(shape.count) extents instead of 3")
    }
    try limits.check(.planeCount, shape[0], \.planeCount)
    var metadata = try Self.metadata(fields, latent, channelCount: shape[0])
    for member in object.members where !Self.keys.contains(member.key) {
      metadata.additional[member.key] = member.value
    }
    let planeCount = metadata.values == .moments ? 2 * shape[0] : shape[0]
    let storage = try fields.fields("storage")
    let type: LatentStorage = try storage.name("type")
    let scales = try Self.numbers("scale", storage, type, count: planeCount, otherwise: 1)
    let offsets = try Self.numbers("offset", storage, type, count: planeCount, otherwise: 0)
    self.init(
      metadata: metadata, shape: shape, storage: type, scales: scales, offsets: offsets,
      filters: try Self.filters(storage, type, count: planeCount),
      alpha: try fields.optionalFields("alpha").map(Self.alpha))
    try checkScales()
    try checkSource(limits)
    try checkSizes(limits)
  }

  private static func object(json bytes: [UInt8]) throws(LatentFileError) -> JSONObject {
    let document: JSONValue
    do {
      document = try JSONParser.parse(bytes, depthLimit: depthLimit, byteLimit: .max)
    } catch {
      throw .invalidJSON(offset: error.offset, reason: error.reason)
    }
    guard case .object(let object) = document else {
      throw .invalidJSON(offset: 0, reason: "it is not an object")
    }
    return object
  }

  private static func metadata(
    _ fields: HeaderFields, _ latent: HeaderFields, channelCount: Int
  ) throws(LatentFileError) -> LatentMetadata {
    LatentMetadata(
      program: try fields.string("program"),
      model: try model(fields.fields("model"), channelCount: channelCount),
      spatialFactor: try latent.integer("spatial_factor", in: 1...4096),
      values: try latent.name("values"),
      seed: try latent.optionalInteger("seed", in: 0...UInt64.max),
      source: try fields.optionalFields("source").map(source),
      preview: try fields.optionalFields("preview").map { preview throws(LatentFileError) in
        LatentPreview(
          matrix: try preview.matrix("matrix", rows: 3, columns: channelCount),
          bias: try preview.floats("bias", count: 3))
      })
  }

  private static func model(
    _ fields: HeaderFields, channelCount: Int
  ) throws(LatentFileError) -> LatentModel {
    LatentModel(
      name: try fields.string("name"), className: try fields.string("class"),
      sha256: try fields.sha256("sha256"),
      scalingFactor: try fields.optionalFloat("scaling_factor") ?? 1,
      shiftFactor: try fields.optionalFloat("shift_factor") ?? 0,
      latentsMean: try fields.optionalFloats("latents_mean", count: channelCount),
      latentsStd: try fields.optionalFloats("latents_std", count: channelCount))
  }

  private static func source(_ fields: HeaderFields) throws(LatentFileError) -> LatentSource {
    let source = LatentSource(
      width: try fields.integer("width", in: 1...Int.max),
      height: try fields.integer("height", in: 1...Int.max),
      colour: try fields.name("colour"),
      alphaBitDepth: try fields.optionalInteger("alpha_bits", in: 0...16) ?? 0,
      orientation: try fields.optionalInteger("orientation", in: 1...8) ?? 1,
      sha256: try fields.optionalSHA256("sha256"), format: try fields.optionalString("format"))
    guard [0, 8, 16].contains(source.alphaBitDepth) else {
      throw .invalidHeader(field: "source.alpha_bits", reason: "is none of 0, 8 and 16")
    }
    return source
  }

  private static func alpha(_ fields: HeaderFields) throws(LatentFileError) -> Alpha {
    let bitDepth = try fields.integer("bits", in: 8...16)
    guard bitDepth == 8 || bitDepth == 16 else {
      throw .invalidHeader(field: "alpha.bits", reason: "is neither 8 nor 16")
    }
    let filter = try fields.integer("filter", in: UInt8(0)...UInt8.max)
    guard let filter = PlaneFilter(rawValue: filter), filter != .shuffle else {
      throw .invalidHeader(field: "alpha.filter", reason: "is \(filter), which is unknown")
    }
    return Alpha(bitDepth: bitDepth, filter: filter)
  }

  /// The scales or offsets: integer storage needs them, and floating-point storage has none.
  private static func numbers(
    _ key: String, _ fields: HeaderFields, _ storage: LatentStorage, count: Int,
    otherwise value: Float
  ) throws(LatentFileError) -> [Float] {
    if storage.isInteger { return try fields.floats(key, count: count) }
    guard try fields.optionalFloats(key, count: count) == nil else {
      throw .invalidHeader(
        field: "storage.\(key)", reason: "does not belong to \(storage.rawValue)")
    }
    return [Float](repeating: value, count: count)
  }

  private static func filters(
    _ fields: HeaderFields, _ storage: LatentStorage, count: Int
  ) throws(LatentFileError) -> [PlaneFilter] {
    let numbers = try fields.integers("filter", in: 0...255)
    guard numbers.count == count else {
      throw .invalidHeader(
        field: "storage.filter", reason: "has \(numbers.count) filters instead of \(count)")
    }
    return try numbers.map { number throws(LatentFileError) in
      guard let filter = PlaneFilter(rawValue: UInt8(number)), PlaneCoding.allows(filter, storage)
      else {
        throw .invalidHeader(
          field: "storage.filter", reason: "has a \(number), which \(storage.rawValue) cannot have")
      }
      return filter
    }
  }

  /// Every level must be a number of float32.
  private func checkScales() throws(LatentFileError) {
    guard storage.isInteger else { return }
    let greatest = Float(storage.greatestCode)
    guard zip(scales, offsets).allSatisfy({ $0 >= 0 && (greatest * $0 + $1).isFinite }) else {
      throw .invalidHeader(field: "storage.scale", reason: "is negative or too large")
    }
  }

  /// The latent must cover the picture, and alpha needs one.
  private func checkSource(_ limits: LatentFileLimits) throws(LatentFileError) {
    try limits.check(.extent, max(height, width), \.extent)
    guard let source = metadata.source else {
      guard alpha == nil else { throw .invalidHeader(field: "source", reason: "is missing") }
      return
    }
    try limits.check(.extent, max(source.height, source.width), \.extent)
    let factor = metadata.spatialFactor
    guard (source.height - 1) / factor < height, (source.width - 1) / factor < width else {
      throw .invalidHeader(field: "source", reason: "is larger than the latent covers")
    }
    guard alpha == nil || alpha?.bitDepth == source.alphaBitDepth else {
      throw .invalidHeader(field: "alpha.bits", reason: "differs from source.alpha_bits")
    }
  }
}

extension Optional {
  /// `map` for a closure that throws one type of error.
  fileprivate func map<Failure: Error, Result>(
    _ transform: (Wrapped) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    switch self {
    case .some(let value): try transform(value)
    case .none: nil
    }
  }
}
