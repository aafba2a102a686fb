import Foundation
import Images
import Models
import Pipelines
import Schedulers
import Tensors

/// What is to be drawn: the JSON object of a request, checked.
struct DrawingRequest: Sendable {
  var model: String?
  var className: String?
  var count = 1
  var first = 0
  var steps = DiffusionOptions.defaultStepCount
  var guidance = DiffusionOptions.defaultGuidance
  var scheduler: SchedulerName?
  var seed: UInt64 = 0
  var size: (width: Int, height: Int)?
  var initial: [UInt8]?
  var mask: [UInt8]?
  var strength: Double?

  /// How deep the JSON may nest.
  private static let depthLimit = 4

  /// - Throws: ``Problem`` for JSON that isn't what the API's description says.
  init(parsing bytes: [UInt8], limits: StudioLimits) throws(Problem) {
    let value: JSONValue
    do {
      value = try JSONParser.parse(bytes, depthLimit: Self.depthLimit, byteLimit: limits.byteCount)
    } catch {
      throw .badRequest("\(error)")
    }
    guard case .object(let object) = value else { throw .badRequest("a JSON object is expected") }
    for member in object.members {
      try take(member.key, member.value, limits)
    }
    if initial == nil, strength != nil || mask != nil {
      throw .badRequest("strength and mask_image change a picture; send it as init_image")
    }
  }

  private mutating func take(
    _ key: String, _ value: JSONValue, _ limits: StudioLimits
  ) throws(Problem) {
    switch key {
    case "model": model = try Self.text(key, value)
    case "class": className = try Self.text(key, value)
    case "count": count = try Self.integer(key, value, 1...limits.pictureCount)
    case "first": first = try Self.integer(key, value, 0...1_000_000_000)
    case "steps": steps = try Self.integer(key, value, 1...limits.stepCount)
    case "guidance": guidance = try Self.number(key, value, 0...1000)
    case "seed": seed = try Self.integer(key, value, 0...UInt64.max)
    case "strength": strength = try Self.number(key, value, 0...1)
    case "init_image": initial = try Self.bytes(key, value)
    case "mask_image": mask = try Self.bytes(key, value)
    case "width": size = (try Self.integer(key, value, 1...8192), size?.height ?? 0)
    case "height": size = (size?.width ?? 0, try Self.integer(key, value, 1...8192))
    case "scheduler":
      let name = try Self.text(key, value)
      guard let scheduler = SchedulerName(rawValue: name) else {
        throw .badParameter(
          key, name, "one of " + SchedulerName.allCases.map(\.rawValue).joined(separator: ", "))
      }
      self.scheduler = scheduler
    default: throw .badRequest("there is no setting \(key.quotedBriefly)")
    }
  }

  private static func text(_ key: String, _ value: JSONValue) throws(Problem) -> String {
    guard case .string(let text) = value else { throw .badRequest("\(key) has to be a string") }
    return text
  }

  private static func integer<Number: FixedWidthInteger>(
    _ key: String, _ value: JSONValue, _ range: ClosedRange<Number>
  ) throws(Problem) -> Number {
    guard let number = value.integer(as: Number.self), range.contains(number) else {
      throw .badRequest(
        "\(key) has to be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func number(
    _ key: String, _ value: JSONValue, _ range: ClosedRange<Double>
  ) throws(Problem) -> Double {
    guard let number = value.double, range.contains(number) else {
      throw .badRequest("\(key) has to be a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func bytes(_ key: String, _ value: JSONValue) throws(Problem) -> [UInt8] {
    guard case .string(let text) = value, let data = Data(base64Encoded: text), !data.isEmpty else {
      throw .badRequest("\(key) has to be a picture's file in base64")
    }
    return [UInt8](data)
  }

  /// How much of the picture is lost that drawing begins with.
  var chosenStrength: Double { strength ?? (mask == nil ? 0.6 : 1) }
}

/// A request that was checked against its model: ready to be drawn.
struct PreparedDrawing: Sendable {
  let request: DrawingRequest
  let pipeline: DiffusionPipeline
  let start: DiffusionPipeline.Start?
  let labels: [Int]
  let reference: String?

  /// - Throws: ``Problem``, and the errors of the toolkit.
  init(_ request: DrawingRequest, _ site: Site) throws {
    self.request = request
    let model = try site.models.diffusionModel(named: request.model)
    let name = request.model ?? model.autoencoder.name
    reference =
      name == DiffusionModels.defaultName && site.models.references[name] == nil
      ? nil : site.models.references[name] ?? name
    let factor = model.autoencoder.autoencoder.spatialFactor
    let trained = (width: model.latentSize.width * factor, height: model.latentSize.height * factor)
    let size = request.size.map {
      (
        width: $0.width > 0 ? $0.width : trained.width,
        height: $0.height > 0 ? $0.height : trained.height
      )
    }
    if let size, size.width % factor != 0 || size.height % factor != 0 {
      throw DiffusionError.size(
        width: size.width, height: size.height, multiple: model.pictureFactor)
    }
    let chosen = size ?? trained
    guard chosen.width * chosen.height * request.count <= site.settings.limits.pixelCount else {
      throw Problem.tooLarge(
        "the pictures have more pixels than \(site.settings.limits.pixelCount)")
    }
    pipeline = try DiffusionPipeline(
      model,
      options: DiffusionOptions(
        scheduler: request.scheduler, stepCount: request.steps, guidance: request.guidance,
        seed: request.seed, size: size.map { ($0.height / factor, $0.width / factor) }))
    if let className = request.className, !className.isEmpty {
      labels = [try model.label(named: className)]
    } else {
      labels = Array(model.classNames.indices)
    }
    start = try Self.start(request, pipeline, limits: site.imageLimits)
  }

  private static func start(
    _ request: DrawingRequest, _ pipeline: DiffusionPipeline, limits: ImageLimits
  ) throws -> DiffusionPipeline.Start? {
    guard let initial = request.initial else { return nil }
    let size = PicturePreparation.Size(width: pipeline.width, height: pipeline.height)
    let original = try Image(decoding: initial, limits: limits)
    let mask = try request.mask.map { bytes in
      let mask = try Image(decoding: bytes, limits: limits)
      return mask.width == original.width && mask.height == original.height
        ? PicturePreparation(size: size)(mask)
        : mask.resized(width: size.width, height: size.height)
    }
    let start = try pipeline.start(
      from: PicturePreparation(size: size)(original), strength: request.chosenStrength, mask: mask)
    if start.mask?.isEmpty == true {
      throw Problem.badRequest(
        "the mask is dark everywhere, so nothing would be drawn; paint what is to be drawn anew")
    }
    return start
  }

  /// The class of a picture; nil for a model without.
  func label(ofPicture index: Int) -> Int? {
    labels.isEmpty ? nil : labels[index % labels.count]
  }

  /// The class's name.
  func className(ofPicture index: Int) -> String? {
    label(ofPicture: index).map { pipeline.model.classNames[$0] }
  }

  /// How many steps a picture takes.
  func stepCount() throws -> Int { try pipeline.sampler.count(strength: start?.strength) }

  /// The command that makes the same pictures.
  var command: String {
    var words = ["lvae", "diffuse-sample"]
    func add(_ name: String, _ value: String?) {
      if let value { words += [name, value.quotedForShell] }
    }
    add("--model", reference)
    add("-n", "\(request.count)")
    add("--first", request.first > 0 ? "\(request.first)" : nil)
    let names = labels.map { pipeline.model.classNames[$0] }
    add("--class", names.isEmpty || request.className == nil ? nil : names.joined(separator: ","))
    add("--size", request.size == nil ? nil : "\(pipeline.width)x\(pipeline.height)")
    add("--seed", "\(request.seed)")
    add("--scheduler", request.scheduler?.rawValue)
    add("--steps", "\(request.steps)")
    add("--guidance", "\(request.guidance)")
    if request.initial != nil {
      add("--init", "init.png")
      add("--strength", "\(request.chosenStrength)")
      add("--mask", request.mask == nil ? nil : "mask.png")
    }
    add("-o", "drawn.png")
    return words.joined(separator: " ")
  }

  /// What a picture's file says about how it was made.
  func settings(ofPicture index: Int) -> JSONObject {
    var object: JSONObject = [
      "program": .string(Program.nameAndVersion), "command": .string(command),
      "model": .string(pipeline.model.autoencoder.name),
      "size": .string("\(pipeline.width)x\(pipeline.height)"), "picture": JSONValue(index),
      "seed": JSONValue(request.seed), "steps": JSONValue(request.steps),
      "guidance": JSONValue(request.guidance),
    ]
    object["class"] = className(ofPicture: index).map { .string($0) }
    object["scheduler"] = .string(
      request.scheduler?.rawValue ?? pipeline.model.scheduler.className.rawValue)
    return object
  }
}
