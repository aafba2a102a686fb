public import Tensors

/// The settings of a run that trains an autoencoder: a JSON file with keys in snake case, each of
/// which may be left out.
///
/// Reading is strict: an unknown key, another type or a value out of range is an error that names
/// the key's path. ``text`` is the whole with all defaults, and reads back to the same settings.
public struct TrainingSettings: RunConfiguration {
  /// `model`: what is trained.
  public var model = ModelChoice.preset(.photo)
  /// `bottleneck`: what stands between encoder and decoder.
  public var bottleneck = BottleneckSettings()
  /// `data`: what it is trained with.
  public var data = DataSettings()
  /// `objective`: what is made small.
  public var objective = ObjectiveSettings()
  /// `optimizer`: how.
  public var optimizer = OptimizerSettings()
  /// `train`: how long, and what is kept of the run.
  public var train = RunSettings()

  /// The defaults.
  public init() {}

  /// All settings as a JSON object.
  public var values: JSONObject { SettingsFields.written(self) }

  /// Replaces the settings that a JSON object has.
  ///
  /// - Throws: ``TrainingSettingsError``.
  public mutating func read(_ values: JSONObject, source: String) throws(TrainingSettingsError) {
    _ = try SettingsFields.read(&self, from: values, source: source)
  }

  /// Settings that a run may change when it goes on.
  public static var changeable: Set<String> {
    RunSettings.changeable.union([
      "train.activation_checkpointing", "data.cache_mib", "data.unreadable_limit",
    ])
  }
}

extension TrainingSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try model.visit("model", &fields)
    try fields.group("bottleneck", &bottleneck)
    try fields.group("data", &data)
    try fields.group("objective", &objective)
    try fields.group("optimizer", &optimizer)
    try fields.group("train", &train)
    for (path, isWanted, side) in objective.leastSides where isWanted && data.crop < side {
      try fields.refuse(
        path, if: true, "takes pictures of \(side) pixels a side, and data.crop is \(data.crop)")
    }
  }
}
