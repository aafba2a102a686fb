import Foundation
import Images
import Models
import Pipelines
import Schedulers

/// One run of `lvae diffuse-sample`: what was asked for, checked against the model before any work.
struct DiffuseSampleRun {
  private let command: DiffuseSampleCommand
  private let options: RunOptions
  private let model: LatentDiffusionModel
  private let pipeline: DiffusionPipeline
  private let start: DiffusionPipeline.Start?
  private let classes: ClassShares
  private let settings: DrawingSettings
  private let files: GeneratedPictures
  private let range: Range<Int>

  /// The most pictures side by side in a strip.
  private static let stripColumns = 8

  init(_ command: DiffuseSampleCommand) throws {
    self.command = command
    options = command.runOptions
    model = try DiffusionModels.load(command.model)
    pipeline = try Self.pipeline(command, model)
    classes = try Self.classes(command, model)
    try Self.checkFolders(command, model)
    range = command.first..<command.first + command.count
    settings = DrawingSettings(command: command, pipeline: pipeline, classes: classes)
    files = GeneratedPictures(command: "lvae diffuse-sample", force: command.force)
    let pixelCount = pipeline.width * pipeline.height
    let tileCount = command.progressStrip ? Self.stripColumns : 1
    guard
      pixelCount * tileCount * (command.isGrid ? command.count : 1)
        <= DiffuseSampleCommand.mostPixels
    else {
      throw GenerationError.unusable(
        path: command.output,
        reason: "the pictures are too many, or too large, for one file; name a folder with -o")
    }
    if command.guidance != 1, !classes.labels.isEmpty, model.nullLabel == nil {
      options.notice(
        "lvae: the model knows no picture without a class, so --guidance changes nothing")
    }
    let options = options
    start = try command.changes.start(for: pipeline) { options.notice($0) }
    try checkPlaces()
  }

  /// Refuses places where something else stands.
  private func checkPlaces() throws {
    if command.isGrid {
      try files.check(command.output)
    } else {
      for index in range { try files.check(path(command.output, index, "png")) }
    }
    if let folder = command.saveLatents {
      for index in range { try GeneratedLatents.check(path(folder, index, "latent"), command) }
    }
  }

  private static func pipeline(
    _ command: DiffuseSampleCommand, _ model: LatentDiffusionModel
  ) throws -> DiffusionPipeline {
    let factor = model.autoencoder.autoencoder.spatialFactor
    if let size = command.size, size.width % factor != 0 || size.height % factor != 0 {
      throw DiffusionError.size(
        width: size.width, height: size.height, multiple: model.pictureFactor)
    }
    return try DiffusionPipeline(
      model,
      options: DiffusionOptions(
        scheduler: command.scheduler, stepCount: command.steps, guidance: command.guidance,
        guidanceInterval: command.guidanceLevels, seed: command.seed, generator: command.rng,
        size: command.size.map { ($0.height / factor, $0.width / factor) }))
  }

  /// The classes that pictures take; only the first between two noises.
  private static func classes(
    _ command: DiffuseSampleCommand, _ model: LatentDiffusionModel
  ) throws -> ClassShares {
    let classes =
      try command.classes.map { try ClassShares($0, of: model) } ?? ClassShares(allOf: model)
    return command.interpolate.isEmpty ? classes : classes.first
  }

  // MARK: Drawing

  private struct Line: Encodable {
    let file: String
    let picture: Int
    let seed: UInt64
    let `class`: String?
    let latent: String?
  }

  func callAsFunction() throws {
    let total = try pipeline.sampler.count(strength: start?.strength) * command.count
    let progress = options.progress("steps", total: total)
    let interruption = Interruption(notify: { _ in
      progress.message("stopping after the step in hand; once more to stop at once")
    })
    progress.begin()
    var tiles: [Image] = []
    for index in range {
      let drawing = try pipeline.drawing(
        from: noise(index), label: classes.label(ofPicture: index), start: start,
        keepingPreviews: command.progressStrip
      ) { _ in
        progress.advance()
        return !interruption.stop.isSet
      }
      guard let drawing, !interruption.stop.isSet else {
        progress.finish()
        try end(after: index - command.first, interruption)
        return
      }
      let image =
        command.progressStrip ? drawing.strip(columnCount: Self.stripColumns) : drawing.image
      try keep(image, index, in: &tiles)
      try command.saveLatents.map { try save(drawing, index, in: $0) }
      if !command.isGrid { try tell(index) }
    }
    progress.finish()
    if command.isGrid {
      try files.write(
        ImageGrid(columnCount: columnCount).image(of: tiles), note: settings.note(of: nil),
        settings: settings.fields(picture: nil), to: command.output)
      for index in range { try tell(index) }
    }
    try files.finish()
    options.notice(
      "\(Self.count(command.count)) of \(pipeline.width)x\(pipeline.height) with "
        + "\(model.autoencoder.name) in \(command.output)")
  }

  private func keep(_ image: Image, _ index: Int, in tiles: inout [Image]) throws {
    if command.isGrid {
      tiles.append(image)
    } else {
      try files.write(
        image, note: settings.note(of: index), settings: settings.fields(picture: index),
        to: path(command.output, index, "png"))
    }
  }

  private func save(
    _ drawing: DiffusionPipeline.Drawing, _ index: Int, in folder: String
  ) throws {
    try GeneratedLatents.write(
      drawing.latents, of: model.autoencoder, settings: settings.fields(picture: index),
      to: path(folder, index, "latent"), command)
  }

  /// Says how far the run came, when a signal ended it.
  private func end(after done: Int, _ interruption: Interruption) throws {
    if !command.isGrid { try files.finish() }
    options.notice(
      command.isGrid
        ? "stopped; nothing was written"
        : "stopped after \(Self.count(done)) of \(command.count)")
    throw StatusError(status: .interrupted(signal: interruption.signalNumber ?? SIGINT))
  }

  private func noise(_ index: Int) -> PictureNoise {
    guard command.interpolate.count == 2 else { return pipeline.noise(ofPicture: index) }
    let ends = command.interpolate.map { PictureNoise(command.rng, seed: $0) }
    let place = Double(index) / Double(command.count - 1)
    return .between(ends[0], ends[1], at: place)
  }

  private func tell(_ index: Int) throws {
    guard options.json else { return }
    let isTorch = command.rng == .torch && command.interpolate.isEmpty
    print(
      try JSONLines.line(
        Line(
          file: command.isGrid ? command.output : path(command.output, index, "png"),
          picture: index,
          seed: isTorch ? command.seed &+ UInt64(index) : command.seed,
          class: classes.label(ofPicture: index).map { model.classNames[$0] },
          latent: command.saveLatents.map { path($0, index, "latent") })))
    fflush(nil)
  }

  // MARK: Places

  /// A column a class, if they are few.
  private var columnCount: Int {
    if command.progressStrip { return 1 }
    if !command.interpolate.isEmpty { return command.count }
    let period = classes.labels.count
    if classes.areEqual, (2...12).contains(period), command.count > period { return period }
    return Int(Double(command.count).squareRoot().rounded(.up))
  }

  /// `folder/0012.png`, or `folder/class/0012.png`.
  private func path(_ folder: String, _ index: Int, _ ending: String) -> String {
    let digits = String(index)
    let zeros = String(repeating: "0", count: max(0, 4 - digits.count))
    var place = URL(filePath: folder, directoryHint: .isDirectory)
    if command.classFolders, let label = classes.label(ofPicture: index) {
      place.append(path: model.classNames[label], directoryHint: .isDirectory)
    }
    return place.appending(path: "\(zeros)\(digits).\(ending)").relativePath
  }

  /// Refuses classes that can't be folders.
  private static func checkFolders(
    _ command: DiffuseSampleCommand, _ model: LatentDiffusionModel
  ) throws {
    guard command.classFolders else { return }
    if model.classNames.isEmpty { throw DiffusionError.noClasses(model: model.autoencoder.name) }
    let bad = model.classNames.first { name in
      ["", ".", ".."].contains(name) || name.contains { "/\0".contains($0) }
    }
    if let name = bad {
      throw GenerationError.unusable(
        path: name, reason: "the class can't be a folder's name; leave --class-folders out")
    }
  }

  static func count(_ number: Int) -> String { number == 1 ? "1 picture" : "\(number) pictures" }
}
