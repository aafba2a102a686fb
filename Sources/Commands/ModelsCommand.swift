import ArgumentParser
import Foundation
import Models
import Pipelines
import Tensors

struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "List, show, add, import and export autoencoders.",
    discussion: """
      Added models lie in $LVAE_MODELS, or in lvae/models of the XDG data home \
      (~/.local/share/lvae/models); photo and emoji are part of the program. `lvae decode` finds \
      either by the hash in a .latent file.
      """,
    subcommands: [List.self, Show.self, Add.self, Import.self, Export.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The models that are part of the program, and those that were added.")

    @Flag(help: "A line of JSON for each.")
    var json = false

    func run() throws {
      let added = ModelStore().entries()
      // An added model of the same name stands in for the program's.
      let embedded = EmbeddedModels.entries.filter { entry in
        !added.contains { $0.name == entry.name }
      }
      let entries = embedded + added
      if json {
        for entry in entries { print(try JSONLines.line(entry)) }
        return
      }
      let width = entries.map(\.name.count).max() ?? 0
      for entry in entries {
        let name = entry.name.padding(toLength: width, withPad: " ", startingAt: 0)
        print(
          "\(name)  \(entry.className)  f\(entry.spatialFactor)  \(entry.latentChannels) channels  "
            + "\(entry.parameterCount) parameters  \(entry.sha256.prefix(12))"
            + (embedded.contains(entry) ? "  built in" : ""))
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What a model is: class, sizes, factors, identity.")

    @Argument(help: "A name from `lvae models list`, or a path.")
    var model: String

    @OptionGroup var description: CheckpointOptions

    @Flag(help: "As a line of JSON.")
    var json = false

    func run() throws {
      let loaded = try ModelStore().load(model, as: description.importOptions)
      let entry = ModelStore.Entry(loaded, source: model)
      if json {
        print(try JSONLines.line(entry))
        return
      }
      let scaling = loaded.autoencoder.latentScaling
      let rows = [
        ("name", entry.name), ("class", entry.className), ("weights", entry.sha256),
        ("parameters", String(entry.parameterCount)),
        ("factor", String(entry.spatialFactor)),
        ("latent channels", String(entry.latentChannels)),
        ("posterior", loaded.autoencoder.hasPosterior ? "mean and variance" : "mean only"),
        ("scaling factor", String(scaling.factor)), ("shift factor", String(scaling.shift)),
        ("per channel", scaling.mean == nil && scaling.standardDeviation == nil ? "no" : "yes"),
        (
          "memory",
          "about \(ByteCount(bytes: loaded.autoencoder.workingBytesPerPixel << 20)) a megapixel"
        ),
      ]
      for (label, value) in rows {
        print(label.padding(toLength: 17, withPad: " ", startingAt: 0) + value)
      }
      if EmbeddedModels.entry(named: model)?.sha256 == entry.sha256,
        let card = EmbeddedModels.card(named: model)
      {
        print("\n\(card)", terminator: "")
      }
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a model under a name, so that files made with it can be decoded.",
      usage: "lvae models add [<options>] <path>",
      discussion: "The same as import: any model that can be read can be added.")

    @OptionGroup var addition: AdditionOptions

    func run() throws {
      try addition.add()
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a model of another project: CompVis checkpoint, TAESD pair, pickle.",
      usage: "lvae models import [<options>] <path>",
      discussion: "The same as add. Pickles (.pth, .ckpt) are read without executing them.")

    @OptionGroup var addition: AdditionOptions

    func run() throws {
      try addition.add()
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a model as a diffusers folder.",
      usage: "lvae models export [<options>] <model> --output <output>",
      discussion: """
        F16 and BF16 round the weights, so that they are another model: files that were made with \
        the one can't be decoded with the other.
        """)

    @Argument(help: "A name from `lvae models list`, or a path.")
    var model: String

    @Option(name: [.short, .customLong("output")], help: "The folder to write.")
    var output: String

    @Option(help: "The scalars of the weights: F32, F16 or BF16.")
    var dtype = "F32"

    @OptionGroup var description: CheckpointOptions

    @Flag(help: "Replace a model that is there.")
    var force = false

    func validate() throws {
      if !["F32", "F16", "BF16"].contains(dtype.uppercased()) {
        throw ValidationError("--dtype \(dtype): F32, F16 or BF16 is expected")
      }
    }

    func run() throws {
      let loaded = try ModelStore().load(model, as: description.importOptions)
      let target = URL(filePath: output, directoryHint: .isDirectory)
      let config = target.appending(path: "config.json")
      if !force, FileManager.default.fileExists(atPath: config.path) {
        throw ModelStoreError.folderTaken(target.path)
      }
      try loaded.save(to: target, as: ScalarType(rawValue: dtype.uppercased()) ?? .float32)
      StandardError.write("\(loaded.name) (\(loaded.sha256.prefix(12))…) written to \(output)")
    }
  }
}

/// What is added, and under which name.
struct AdditionOptions: ParsableArguments {
  @Argument(
    help: "A diffusers folder, a folder with a TAESD encoder and decoder, or a checkpoint file.")
  var path: String

  @Option(help: "The name; without it, that of the file or folder.")
  var name: String?

  @OptionGroup var description: CheckpointOptions

  @Flag(help: "Replace another model of this name.")
  var force = false

  func add() throws {
    let url = URL(filePath: path)
    let model = try PretrainedAutoencoder(
      contentsOf: url, as: description.importOptions, name: name)
    let store = ModelStore()
    let entry = try store.add(model, source: url.path, replacing: force)
    StandardError.write(
      "added \(entry.name): \(entry.className), factor \(entry.spatialFactor), "
        + "\(entry.latentChannels) channels, weights \(entry.sha256.prefix(12))…")
  }
}
