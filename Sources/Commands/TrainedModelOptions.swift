import ArgumentParser
import Foundation
import Pipelines
import Training

/// Which model `train` or `diffuse-train` trains further.
struct TrainedModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Train this further: a model's folder, or the name of one of the store or of the program.",
      valueName: "name|path"))
  var model: String?

  /// The model as settings have it: a path with a slash in it, or `builtin:` and a name.
  ///
  /// - Returns: the model; nil if none is named.
  func choice<Preset>(of kind: NetworkChoice<Preset>.Type) -> String? {
    guard let model else { return nil }
    if model.contains("/") { return model }
    let exists = FileManager.default.fileExists(atPath:)
    if exists(model) { return "./\(model)" }
    let stored = ModelStore().url(of: model).path
    if ModelStore.isName(model), exists(stored) { return stored }
    return Preset.builtInNames.contains(model) ? kind.builtInPrefix + model : "./\(model)"
  }
}
