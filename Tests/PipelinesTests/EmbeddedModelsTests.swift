import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import TestSupport
import Testing

struct EmbeddedModelsTests {
  @Test func theirNamesAreKnown() {
    #expect(EmbeddedModels.names == ["photo", "emoji"])
    #expect(EmbeddedModels.entry(named: "none") == nil)
  }

  @Test(arguments: EmbeddedModels.names)
  func anEntryIsThatOfItsWeights(_ name: String) throws {
    let model = try #require(try EmbeddedModels.load(name))
    #expect(EmbeddedModels.entry(named: name) == ModelStore.Entry(model, source: "built in"))
    #expect(2 * model.parameterCount <= 6_000_000)
    #expect(EmbeddedModels.card(named: name)?.hasPrefix("# \(name)\n") == true)
  }

  @Test func aStoreFindsThemByNameAndByFile() throws {
    try withTemporaryFolder { folder in
      let store = ModelStore(environment: ["LVAE_MODELS": folder.path])
      let photo = try store.load(nil)
      #expect(photo.name == "photo")
      #expect(try store.load("emoji").autoencoder.hasPosterior)
      #expect(try store.load(for: photo.latentModel)?.sha256 == photo.sha256)
      #expect(store.knownNames == ["photo", "emoji"])
    }
  }

  @Test func anAddedModelOfTheNameStandsInOnlyIfForced() throws {
    try withTemporaryFolder { folder in
      let store = ModelStore(environment: ["LVAE_MODELS": folder.path])
      let other = PretrainedAutoencoder(
        name: "photo", autoencoder: try tinyAutoencoderKL().autoencoder)
      #expect(throws: ModelStoreError.self) { try store.add(other, source: "here") }
      try store.add(other, source: "here", replacing: true)
      #expect(try store.load(nil).sha256 == other.sha256)
      // Files that were made with the program's are still decoded.
      let own = try #require(try EmbeddedModels.load("photo"))
      #expect(try store.load(for: own.latentModel)?.sha256 == own.sha256)
    }
  }

  @Test func samplesArePicturesThatTheModelCodes() throws {
    let codec = LatentCodec(try ModelStore(environment: ["LVAE_MODELS": "/nowhere"]).load(nil))
    var quality: [Double] = []
    for sample in SamplePicture.all {
      let image = try sample.image()
      let decoded = try codec.decode(try codec.encode(image))
      #expect(decoded.width == image.width && decoded.height == image.height)
      guard !image.channels.hasAlpha else { continue }
      quality.append(decoded.peakSignalToNoiseRatio(to: image))
    }
    #expect(SamplePicture.all.reduce(0) { $0 + $1.bytes.count } <= 400_000)
    #expect(quality.count == 4 && quality.allSatisfy { $0 > 20 })
  }
}
