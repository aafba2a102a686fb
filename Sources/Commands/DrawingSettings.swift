import Foundation
import Pipelines
import Schedulers
import Tensors

/// What `lvae diffuse-sample` writes into pictures: all settings, and the command that makes them
/// again.
struct DrawingSettings {
  private let command: DiffuseSampleCommand
  private let pipeline: DiffusionPipeline
  private let classes: ClassShares
  private let denoiserSHA256: String

  /// The settings of pictures of these classes.
  init(command: DiffuseSampleCommand, pipeline: DiffusionPipeline, classes: ClassShares) {
    self.command = command
    self.pipeline = pipeline
    self.classes = classes
    denoiserSHA256 = pipeline.model.denoiserSHA256
  }

  private var schedulerName: String {
    command.scheduler?.rawValue ?? pipeline.model.scheduler.className.rawValue
  }

  private var size: String { "\(pipeline.width)x\(pipeline.height)" }

  private func className(ofPicture index: Int) -> String? {
    classes.label(ofPicture: index).map { pipeline.model.classNames[$0] }
  }

  /// The classes of all pictures, as the command has them; nil for a model without.
  private var classList: String? {
    classes.texts.isEmpty ? nil : classes.texts.joined(separator: ",")
  }

  /// A line for people about a picture; of a grid of all, where there is no index.
  func note(of index: Int?) -> String {
    let what = index.map { "picture \($0)" } ?? DiffuseSampleRun.count(command.count)
    let names = index.map { [className(ofPicture: $0)].compactMap(\.self) } ?? classes.texts
    let classes =
      names.isEmpty || names.count > 20 ? "" : ", class \(names.joined(separator: ", "))"
    let seeds =
      command.interpolate.isEmpty
      ? "seed \(command.seed)"
      : "seeds \(command.interpolate.map(String.init).joined(separator: " to "))"
    return "\(what) of \(size)\(classes), \(seeds), \(command.steps) steps of \(schedulerName), "
      + "guidance \(command.guidance), \(pipeline.model.autoencoder.name), "
      + "denoiser \(denoiserSHA256)"
  }

  /// All settings of a picture; of a grid of all, where there is no index.
  func fields(picture index: Int?) -> JSONObject {
    var fields: JSONObject = [
      "program": .string(Program.nameAndVersion),
      "command": .string(line(picture: index)),
      "model": .string(pipeline.model.autoencoder.name),
      "autoencoder": .string(pipeline.model.autoencoder.sha256),
      "denoiser": .string(denoiserSHA256),
      "size": .string(size),
    ]
    if let index, command.interpolate.isEmpty {
      fields["picture"] = JSONValue(index)
    } else {
      fields["pictures"] = JSONValue(command.count)
      fields["picture"] = index.map { JSONValue($0) }
      fields["first"] = JSONValue(command.first)
    }
    if let index {
      fields["class"] = className(ofPicture: index).map { .string($0) }
    } else if let classList {
      fields["class"] = .string(classList)
    }
    if command.interpolate.isEmpty {
      fields["seed"] = JSONValue(command.seed)
    } else {
      fields["interpolate"] = JSONValue(command.interpolate)
    }
    fields["rng"] = .string(command.rng.rawValue)
    fields["scheduler"] = .string(schedulerName)
    fields["steps"] = JSONValue(command.steps)
    fields["guidance"] = JSONValue(command.guidance)
    if !command.guidanceInterval.isEmpty {
      fields["guidance_interval"] = .array(command.guidanceInterval.map { JSONValue($0) })
    }
    if let initial = command.changes.initial {
      fields["init"] = .string(initial)
      fields["strength"] = JSONValue(command.changes.chosenStrength)
      fields["mask"] = command.changes.mask.map { .string($0) }
    }
    return fields
  }

  /// The command that makes a picture, or the grid of all, again.
  private func line(picture index: Int?) -> String {
    var words = ["lvae", "diffuse-sample"]
    func add(_ name: String, _ value: String?) {
      if let value { words += [name, value.quotedForShell] }
    }
    add("--model", command.model)
    let isAlone = index != nil && command.interpolate.isEmpty
    add("-n", isAlone ? "1" : "\(command.count)")
    let first = isAlone ? index ?? 0 : command.first
    if first > 0 { add("--first", "\(first)") }
    if let index, isAlone {
      add("--class", className(ofPicture: index))
    } else {
      add("--class", classList)
    }
    add("--size", size)
    if command.interpolate.isEmpty {
      add("--seed", "\(command.seed)")
    } else {
      words += ["--interpolate"] + command.interpolate.map(String.init)
    }
    add("--rng", command.rng == .philox ? nil : command.rng.rawValue)
    add("--scheduler", command.scheduler?.rawValue)
    add("--steps", "\(command.steps)")
    add("--guidance", "\(command.guidance)")
    if !command.guidanceInterval.isEmpty {
      words += ["--guidance-interval"] + command.guidanceInterval.map { "\($0)" }
    }
    if let initial = command.changes.initial {
      add("--init", initial)
      add("--strength", "\(command.changes.chosenStrength)")
      add("--mask", command.changes.mask)
    }
    if command.classFolders { words.append("--class-folders") }
    if command.progressStrip { words.append("--progress-strip") }
    add("-o", command.output)
    return words.joined(separator: " ")
  }
}
