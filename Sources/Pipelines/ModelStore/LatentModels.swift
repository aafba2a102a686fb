public import LatentFiles
import Models
import Synchronization

/// The decoders of `.latent` files, each loaded once, when the first file needs it.
public final class LatentModels: Sendable {
  private let store: ModelStore
  private let given: PretrainedAutoencoder?
  private let memory: MemoryLimit
  private let attentionWindow: Int?
  /// Failures are kept too: a model that can't be loaded is not tried again for each file.
  private let loaded = Mutex<[String: Result<LatentCodec, any Error>]>([:])

  /// Models from a store.
  ///
  /// - Parameters:
  ///   - store: Where models are looked for.
  ///   - given: The model that the user names; if there is one, no other is used.
  ///   - memory: How much memory the codecs may take.
  ///   - attentionWindow: What a place of a large latent sees in attention; nil for all of it.
  public init(
    store: ModelStore, given: PretrainedAutoencoder? = nil, memory: MemoryLimit = MemoryLimit(),
    attentionWindow: Int? = nil
  ) {
    self.memory = memory
    self.attentionWindow = attentionWindow
    self.store = store
    self.given = given
  }

  /// The codec for files of this model.
  ///
  /// - Throws: ``CodecError/otherModel(wanted:given:)``,
  ///   ``ModelStoreError/modelOfFileNotFound(_:)``, and the errors of loading.
  public func codec(for wanted: LatentModel) throws -> LatentCodec {
    if let given {
      guard given.sha256 == wanted.sha256 else {
        throw CodecError.otherModel(wanted: wanted, given: given.latentModel)
      }
      return codec(given)
    }
    return try loaded.withLock { loaded in
      if let known = loaded[wanted.sha256] { return try known.get() }
      let result = Result { try load(wanted) }
      loaded[wanted.sha256] = result
      return try result.get()
    }
  }

  private func load(_ wanted: LatentModel) throws -> LatentCodec {
    guard let model = try store.load(for: wanted, halves: .decoder) else {
      throw ModelStoreError.modelOfFileNotFound(wanted)
    }
    return codec(model)
  }

  private func codec(_ model: PretrainedAutoencoder) -> LatentCodec {
    var model = model
    model.attentionWindow = attentionWindow
    return LatentCodec(model, memory: memory)
  }
}
