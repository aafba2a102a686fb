public import Layers
public import Tensors

/// Everything a run needs to go on as if it had never stopped: one safetensors file.
///
/// | Tensors | What |
/// |---|---|
/// | `model.` + path | the parameters |
/// | `ema.` + path | their running means |
/// | `adamw.first.` + path, `adamw.second.` + path | the optimiser's moments |
///
/// They stand as they are in memory, which for convolutions is `[kh, kw, Ci, Co]`, in float32, so
/// that not a bit is lost. A run with several networks gives each its own part's name instead of
/// `model`. The metadata hold `step`, `settings` (the run's, in JSON), `architecture` (a
/// `config.json`), `counters` and `crc32`: the checksum over the others' texts, and the names and
/// bytes of all tensors. Random numbers need nothing but the seed, which is among the settings, and
/// the step: see `RandomSource.stream(_:)`.
public struct TrainingCheckpoint: Sendable {
  /// How many steps were made.
  public var step: Int
  /// The run's settings.
  public var settings: JSONObject
  /// What the network is: the fields of its `config.json`, with `_class_name`.
  public var architecture: JSONObject
  /// Other counts, by name: steps of the optimiser, updates of means.
  public var counters: [String: Int] = [:]
  /// All tensors, by name.
  public var tensors: [String: Tensor] = [:]

  /// A checkpoint without tensors yet.
  public init(step: Int, settings: JSONObject, architecture: JSONObject) {
    self.step = step
    self.settings = settings
    self.architecture = architecture
  }
}

// MARK: Parts

extension TrainingCheckpoint {
  /// Takes in the parameters of a network.
  public mutating func add(_ model: some ParameterContainer, as part: String = "model") {
    var visitor = Collection(prefix: part, tensors: tensors)
    var model = model
    // This visitor throws nothing.
    try? model.visitParameters(at: .root, with: &visitor)
    tensors = visitor.tensors
  }

  /// Takes in the state of an optimiser.
  public mutating func add(_ optimizer: AdamW, as part: String = "adamw") {
    counters["\(part).steps"] = optimizer.stepCount
    for (path, moments) in optimizer.moments {
      tensors["\(part).first.\(path)"] = moments.first
      tensors["\(part).second.\(path)"] = moments.second
    }
  }

  /// Takes in running means.
  public mutating func add(_ average: ExponentialMovingAverage, as part: String = "ema") {
    counters["\(part).updates"] = average.updateCount
    for (path, tensor) in average.averages { tensors["\(part).\(path)"] = tensor }
  }

  /// Puts the parameters of a network back.
  ///
  /// - Throws: ``TrainingCheckpointError/missing(tensor:shape:found:)`` where one isn't there, or
  ///   has another shape.
  public func restore(
    _ model: inout some ParameterContainer, from part: String = "model"
  ) throws {
    var visitor = Restoration(prefix: part, tensors: tensors)
    try model.visitParameters(at: .root, with: &visitor)
  }

  /// Puts the state of an optimiser back.
  ///
  /// - Throws: ``TrainingCheckpointError`` where it isn't whole.
  public func restore(
    _ optimizer: inout AdamW, from part: String = "adamw"
  ) throws(TrainingCheckpointError) {
    optimizer.stepCount = try counter("\(part).steps")
    optimizer.moments = [:]
    for (path, first) in tensors(of: "\(part).first.") {
      let name = "\(part).second.\(path)"
      guard let second = tensors[name], second.shape == first.shape else {
        throw .missing(tensor: name, shape: first.shape, found: tensors[name]?.shape)
      }
      optimizer.moments[path] = AdamW.Moments(first: first, second: second)
    }
  }

  /// Puts running means back.
  ///
  /// - Throws: ``TrainingCheckpointError/noCounter(_:)`` if there are none.
  public func restore(
    _ average: inout ExponentialMovingAverage, from part: String = "ema"
  ) throws(TrainingCheckpointError) {
    average.updateCount = try counter("\(part).updates")
    average.averages = tensors(of: "\(part).")
  }

  private func counter(_ name: String) throws(TrainingCheckpointError) -> Int {
    guard let count = counters[name] else { throw .noCounter(name) }
    return count
  }

  private func tensors(of prefix: String) -> [ParameterPath: Tensor] {
    var found: [ParameterPath: Tensor] = [:]
    for (name, tensor) in tensors where name.hasPrefix(prefix) {
      found[ParameterPath(String(name.dropFirst(prefix.count)))] = tensor
    }
    return found
  }
}

private struct Collection: ParameterVisitor {
  let prefix: String
  var tensors: [String: Tensor]

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    tensors["\(prefix).\(path)"] = parameter
  }
}

private struct Restoration: ParameterVisitor {
  let prefix: String
  let tensors: [String: Tensor]

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) throws {
    let name = "\(prefix).\(path)"
    guard let tensor = tensors[name], tensor.shape == parameter.shape else {
      throw TrainingCheckpointError.missing(
        tensor: name, shape: parameter.shape, found: tensors[name]?.shape)
    }
    parameter = tensor
  }
}
