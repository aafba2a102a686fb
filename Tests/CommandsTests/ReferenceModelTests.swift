import Foundation
import TestSupport
import Testing

/// The program with real weights and pictures.
@Suite(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
struct ReferenceModelTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  /// The folders or pairs of files of each model.
  private static let models = [
    ("taesd", "taesd/diffusers"), ("taef1", "taef1"), ("taef2", "taef2"),
  ]

  @Test(arguments: models)
  func picturesComeBackAsWellAsWithPyTorch(_ name: String, _ folder: String) throws {
    let golden = try goldenQuality(name)
    let model = SharedFiles.url("models/taesd/\(folder)").path
    #expect(try work.lvae("models", "import", model, "--name", name).status == 0)
    for picture in golden.keys {
      try FileManager.default.createSymbolicLink(
        atPath: work(picture + ".png"),
        withDestinationPath: SharedFiles.url("images/kodak/\(picture).png").path)
    }
    for (storage, tolerance) in [("f32", -0.02...0.02), ("int8", -0.07...0.02)] {
      #expect(
        try work.lvae("encode", ".", "-o", storage, "--model", name, "--storage", storage).status
          == 0)
      let run = try work.lvae("verify", storage, "--source", ".", "--json")
      #expect(run.status == 0, "\(run.errors)")
      for record in run.records.dropLast() {
        let picture = try #require(record["source"] as? String)
        let expected = golden[URL(filePath: picture).deletingPathExtension().lastPathComponent] ?? 0
        let difference = try #require(record["psnr"] as? Double) - expected
        #expect(tolerance.contains(difference), "\(storage), \(picture): \(difference) dB")
      }
    }
  }

  /// The PSNR of two pictures, from the script that made the golden files.
  private func goldenQuality(_ model: String) throws -> [String: Double] {
    let data = try Data(contentsOf: SharedFiles.url("models/taesd/golden/\(model)_kodak.json"))
    let golden = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let images = try #require(golden["images"] as? [String: [String: Any]])
    return try Dictionary(
      uniqueKeysWithValues: ["kodim05", "kodim23"].map { name in
        (name, try #require(images[name]?["psnr_u8"] as? Double))
      })
  }

  @Test func aModelHasOneIdentityInAllItsFiles() throws {
    let root = SharedFiles.url("models/taesd").path
    for (folders, count) in [
      (["taesd", "taesd/diffusers"], 2), (["taef2", "taef2/diffusers"], 2),
    ] {
      let hashes = try folders.map { folder in
        try work.lvae("models", "show", "\(root)/\(folder)", "--json").records.first?["sha256"]
          as? String
      }
      #expect(hashes.count == count && hashes[0] != nil && Set(hashes).count == 1, "\(folders)")
    }
  }
}
