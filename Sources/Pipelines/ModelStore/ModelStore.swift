public import Foundation
public import LatentFiles
public import Models

/// The models that this user has added: a folder for each, in diffusers' layout, below one folder.
///
/// The folder is `$LVAE_MODELS`, else `lvae/models` in the XDG data home. The models that are part of
/// the program, ``EmbeddedModels``, are found like those in it, and after them.
public struct ModelStore: Sendable {
  /// Where the models lie.
  public let folder: URL

  /// The store of this user.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    if let path = environment["LVAE_MODELS"], !path.isEmpty {
      folder = URL(filePath: path, directoryHint: .isDirectory)
      return
    }
    let home: URL =
      if let path = environment["XDG_DATA_HOME"], path.hasPrefix("/") {
        URL(filePath: path, directoryHint: .isDirectory)
      } else {
        URL.homeDirectory.appending(path: ".local/share")
      }
    folder = home.appending(path: "lvae/models", directoryHint: .isDirectory)
  }

  /// What is known of a model without loading it.
  public struct Entry: Codable, Sendable, Hashable {
    /// The name, which is its folder's.
    public var name: String
    /// The class's name in `config.json`.
    public var className: String
    /// The identity of the weights.
    public var sha256: String
    /// By how much a latent is smaller than its picture.
    public var spatialFactor: Int
    /// The channels of a latent.
    public var latentChannels: Int
    /// The number of parameters.
    public var parameterCount: Int
    /// Where it was taken from.
    public var source: String

    enum CodingKeys: String, CodingKey {
      case name
      case className = "class"
      case sha256, source
      case spatialFactor = "spatial_factor"
      case latentChannels = "latent_channels"
      case parameterCount = "parameters"
    }

    /// What is known of a model that is loaded.
    public init(_ model: PretrainedAutoencoder, source: String) {
      name = model.name
      className = model.className
      sha256 = model.sha256
      spatialFactor = model.autoencoder.spatialFactor
      latentChannels = model.autoencoder.latentChannels
      parameterCount = model.parameterCount
      self.source = source
    }
  }

  /// The file beside a model's weights that says what they are.
  static let entryName = "lvae.json"

  /// The models, by name; folders that aren't models are passed over.
  public func entries() -> [Entry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().compactMap(entry(named:))
  }

  /// The names that ``load(_:as:halves:)`` knows: those that were added, and the program's own.
  public var knownNames: [String] {
    let added = entries().map(\.name)
    return added + EmbeddedModels.names.filter { !added.contains($0) }
  }

  /// What is known of the added model called `name`; nil if there is none.
  public func entry(named name: String) -> Entry? {
    guard Self.isName(name),
      let data = try? Data(contentsOf: url(of: name).appending(path: Self.entryName)),
      var entry = try? JSONDecoder().decode(Entry.self, from: data)
    else { return nil }
    // The folder may have been renamed.
    entry.name = name
    return entry
  }

  /// The folder of the model called `name`.
  public func url(of name: String) -> URL {
    folder.appending(path: name, directoryHint: .isDirectory)
  }

  /// Whether `name` may be a model's: letters, digits, `.`, `_` and `-`, not beginning with a dot.
  public static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.count <= 100 && !name.hasPrefix(".")
      && name.utf8.allSatisfy { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  // MARK: Loading

  /// The model that a user names: one of the store, one of the program, or a path; without a name
  /// ``EmbeddedModels/defaultName``.
  ///
  /// - Throws: ``ModelStoreError``, and the errors of `Models` for files that aren't a model.
  public func load(
    _ reference: String?, as options: ImportOptions = ImportOptions(),
    halves: AutoencoderHalves = .both
  ) throws -> PretrainedAutoencoder {
    let reference = reference ?? EmbeddedModels.defaultName
    if let entry = entry(named: reference) {
      return try load(entry, halves)
    }
    if let embedded = try EmbeddedModels.load(reference, halves: halves) { return embedded }
    guard FileManager.default.fileExists(atPath: reference) || reference.contains("/") else {
      throw ModelStoreError.unknownName(reference, known: knownNames)
    }
    return try PretrainedAutoencoder(
      contentsOf: URL(filePath: reference), as: options, halves: halves)
  }

  /// The model that a `.latent` file was made with; nil if it is neither in the store nor the
  /// program's.
  public func load(
    for wanted: LatentModel, halves: AutoencoderHalves = .both
  ) throws -> PretrainedAutoencoder? {
    if let entry = entries().first(where: { $0.sha256 == wanted.sha256 }) {
      return try load(entry, halves)
    }
    let embedded = EmbeddedModels.entries.first { $0.sha256 == wanted.sha256 }
    return try embedded.flatMap { try EmbeddedModels.load($0.name, halves: halves) }
  }

  private func load(
    _ entry: Entry, _ halves: AutoencoderHalves
  ) throws -> PretrainedAutoencoder {
    let model = try PretrainedAutoencoder(
      contentsOf: url(of: entry.name), halves: halves, name: entry.name)
    guard model.sha256 == entry.sha256 else {
      throw ModelStoreError.changed(
        folder: url(of: entry.name).path, expected: entry.sha256, found: model.sha256)
    }
    return model
  }

  // MARK: Adding

  /// Saves a model in the store, as float32 in diffusers' layout.
  ///
  /// - Parameters:
  ///   - model: The model; its name becomes the entry's.
  ///   - source: Where it was taken from.
  ///   - replacing: Whether another model of this name may be replaced.
  /// - Returns: The entry.
  /// - Throws: ``ModelStoreError``, or `FileError`.
  @discardableResult
  public func add(
    _ model: PretrainedAutoencoder, source: String, replacing: Bool = false
  ) throws -> Entry {
    guard Self.isName(model.name) else { throw ModelStoreError.badName(model.name) }
    let present = entry(named: model.name) ?? EmbeddedModels.entry(named: model.name)
    if let present, present.sha256 != model.sha256, !replacing {
      throw ModelStoreError.nameTaken(present)
    }
    let entry = Entry(model, source: source)
    let target = url(of: model.name)
    try model.save(to: target)
    try OutputFolders().write(
      Array((try JSONLines.line(entry) + "\n").utf8),
      to: target.appending(path: Self.entryName).path)
    return entry
  }
}

/// Why a model can't be found or added.
public enum ModelStoreError: Error, Sendable, Equatable {
  /// Neither a model of this name nor a path.
  case unknownName(String, known: [String])
  /// The weights in the store aren't those that were added.
  case changed(folder: String, expected: String, found: String)
  /// Another model has the name.
  case nameTaken(ModelStore.Entry)
  /// A model is where another is to be written.
  case folderTaken(String)
  /// A name that isn't one.
  case badName(String)
  /// No model for a `.latent` file.
  case modelOfFileNotFound(LatentModel)
}

extension ModelStoreError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .unknownName(let name, let known):
      "there is neither a model nor a file called \(name)" + Self.list(known)
    case .changed(let folder, let expected, let found):
      "the weights in \(folder) are \(found.prefix(12))…, and \(expected.prefix(12))… were added; "
        + "add the model again"
    case .nameTaken(let entry):
      "the name \(entry.name) is taken by other weights (\(entry.sha256.prefix(12))…, from "
        + "\(entry.source)); choose another with --name, or replace it with --force"
    case .folderTaken(let folder):
      "\(folder) holds a model; choose another folder with -o, or replace it with --force"
    case .badName(let name):
      "\(name) is no name for a model: letters, digits, '.', '_' and '-' are allowed, at most 100; "
        + "give one with --name"
    case .modelOfFileNotFound(let model):
      "it was made with the model \(model.name) (\(model.className), weights "
        + "\(model.sha256.prefix(12))…), which isn't among those of `lvae models list`; "
        + "name it with --model PATH, or add it once with `lvae models add PATH`"
    }
  }

  private static func list(_ known: [String]) -> String {
    " (known: \(known.joined(separator: ", ")); see `lvae models add --help` for others)"
  }
}
