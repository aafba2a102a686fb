import Foundation
import LatentFiles
import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite struct LatentSetTests {
  let samples: LatentSamples

  init() throws { samples = try LatentSamples() }

  private var folder: TemporaryFolder { samples.folder }

  private func set(
    _ names: String..., labels: LatentSet.Labels = .folders, cacheByteCount: Int = 1 << 20
  ) throws -> LatentSet {
    try LatentSet(
      paths: names.map { folder($0) }, labels: labels, cacheByteCount: cacheByteCount)
  }

  private func loader(
    _ set: LatentSet, batchSize: Int = 4, draws: Bool = true, balance: Double = 0
  ) -> LatentLoader {
    LatentLoader(
      set, indices: Array(0..<set.count), batchSize: batchSize, draws: draws, balance: balance,
      seed: 3)
  }

  @Test func foldersAreClasses() throws {
    try samples.writeClasses(count: 2)
    let set = try set("data")
    #expect(
      set.names == ["cat/0.latent", "cat/1.latent", "dog/0.latent", "dog/1.latent"]
        && set.classNames == ["cat", "dog"] && set.labels == [0, 0, 1, 1])
    #expect(set.height == 8 && set.width == 8 && set.channels == 4 && set.spatialFactor == 4)
    #expect(try set.latent(at: 2).mode.scalars == sampleTensor([1, 8, 8, 4], seed: 3).scalars)
    #expect(try self.set("data", labels: .none).labels == nil)
    #expect(try self.set("data/dog").labels == nil)
  }

  @Test func classesThatAreNumbersComeInTheirOrder() throws {
    try samples.writeClasses(["10", "9", "2"], count: 1)
    let set = try set("data")
    #expect(set.classNames == ["2", "9", "10"] && set.labels == [2, 0, 1])
  }

  @Test func aLatentWithoutFolderAmongOthersIsNamed() throws {
    try samples.writeClasses(count: 1)
    try samples.write("data/lost.latent", samples.bytes(seed: 9))
    #expect {
      try set("data")
    } throws: { error in
      "\(error)".contains("lost.latent") && "\(error)".contains("--labels none")
    }
  }

  @Test func tablesNameClassesWithAnyExtension() throws {
    for name in ["a", "b.v1", "b.v2", "c.png"] {
      try samples.write("data/\(name).latent", samples.bytes(seed: name.utf8.count))
    }
    let table = folder("classes.csv")
    try folder.write(
      "classes.csv", "\u{FEFF}\"a.jpg\",\"x\"\r\n\r\nb.v1,y\nb.v2,z\nc.png, x\nother,w\n")
    let set = try set("data", labels: .file(table))
    #expect(set.classNames == ["x", "y", "z"] && set.labels == [0, 1, 2, 0])
  }

  @Test(arguments: [
    ("a.png,x\n", "no line for b.latent"), ("a,x\nb,y\na,y\n", "line 3 gives a the class y"),
    ("a,x\nb\n", "line 2 has no comma"), ("a,x\nb,\n", "line 2 lacks a name or a class"),
    ("a,x\nb.png,y\nb.jpg,x\n", "no line for b.latent"),
  ])
  func tablesThatDoNotTellAreRefused(_ text: String, _ message: String) throws {
    for name in ["a", "b"] {
      try samples.write("data/\(name).latent", samples.bytes(seed: 1))
    }
    try folder.write("classes.csv", text)
    #expect {
      try set("data", labels: .file(folder("classes.csv")))
    } throws: { error in
      "\(error)".contains(message) && "\(error)".contains("classes.csv")
    }
  }

  // MARK: What doesn't belong together

  @Test func anotherAutoencoderScalingOrSizeIsRefusedWithBothNames() throws {
    try samples.write("data/a.latent", samples.bytes(seed: 1))
    let others: [(String, [UInt8])] = [
      ("autoencoder", try samples.bytes(seed: 2) { $0.sha256 = String(repeating: "0", count: 64) }),
      ("scaling factor", try samples.bytes(seed: 2) { $0.scalingFactor = 2 }),
      ("shift factor", try samples.bytes(seed: 2) { $0.shiftFactor = 1 }),
      ("mean of the channels", try samples.bytes(seed: 2) { $0.latentsMean = [1, 2, 3, 4] }),
      ("deviation of the channels", try samples.bytes(seed: 2) { $0.latentsStd = [1, 2, 3, 4] }),
      ("size", try samples.bytes(seed: 2, size: (8, 12))),
    ]
    for (property, bytes) in others {
      try samples.write("data/b.latent", bytes)
      #expect {
        try set("data")
      } throws: { error in
        let text = "\(error)"
        return text.contains("data/b.latent: its \(property) is")
          && text.contains("that of \(folder("data/a.latent"))")
      }
    }
  }

  @Test func damagedNumbersAreToldWithTheFilesName() throws {
    try samples.write("data/a.latent", samples.bytes(seed: 1))
    var bytes = try samples.bytes(seed: 2)
    bytes[bytes.count - 20] ^= 0x55
    try samples.write("data/b.latent", bytes)
    let set = try set("data")
    #expect(throws: Never.self) { try set.latent(at: 0) }
    #expect { try set.latent(at: 1) } throws: { "\($0)".contains("data/b.latent") }
  }

  @Test func nothingThereIsToldWithWhatToDo() throws {
    try folder.write("data/readme.txt", "")
    #expect { try set("data") } throws: { "\($0)".contains("lvae encode") }
    #expect { try set("nosuch") } throws: { "\($0)".contains("nosuch") }
    try samples.write("data/a.latent", Array("no latent".utf8))
    #expect { try set("data") } throws: { "\($0)".contains("a.latent") }
  }

  // MARK: Shards

  private func writeShard(_ name: String, _ build: (inout TarWriter) throws -> Void) throws {
    var tar = TarWriter()
    try build(&tar)
    try samples.write(name, tar.finished)
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: folder(name))))
  }

  @Test func shardsAreReadAsTheirMembersWouldBe() throws {
    try samples.writeClasses(count: 2)
    try writeShard("shards/0.tar") { tar in
      for name in ["cat/0", "cat/1"] {
        tar.add("\(name).txt", Array("a caption".utf8))
        tar.add("\(name).latent", try bytes("data/\(name).latent"))
      }
      tar.add("cat/.hidden.latent", [1])
      tar.add("cat/link.latent", kind: .symbolicLink, target: "0.latent")
    }
    try writeShard("shards/1.tar") { tar in
      for name in ["dog/0", "dog/1"] {
        tar.add("\(name).latent", try bytes("data/\(name).latent"))
      }
    }
    let (files, shards) = (try set("data"), try set("shards", cacheByteCount: 0))
    #expect(shards.labels == files.labels && shards.classNames == files.classNames)
    #expect(
      shards.names
        == [
          "0.tar/cat/0.latent", "0.tar/cat/1.latent", "1.tar/dog/0.latent", "1.tar/dog/1.latent",
        ])
    for index in [3, 0, 2, 1, 0] {
      #expect(
        try shards.latent(at: index).mode.scalars == files.latent(at: index).mode.scalars)
    }
    #expect(try set("shards/0.tar", "shards/1.tar").count == 4)
    #expect(try set("shards/0.tar", "data").count == 6)
  }

  @Test func membersGiveClasses() throws {
    try writeShard("a.tar") { tar in
      tar.add("x/1.cls", Array("7\n".utf8))
      tar.add("x/1.latent", try samples.bytes(seed: 1))
      tar.add("x/2.png.latent", try samples.bytes(seed: 2))
      tar.add("x/2.cls", Array("30".utf8))
    }
    let set = try set("a.tar")
    #expect(set.classNames == ["7", "30"] && set.labels == [0, 1])
    try writeShard("b.tar") { tar in
      tar.add("1.latent", try samples.bytes(seed: 1))
      tar.add("1.cls", [UInt8](repeating: 0x61, count: 5000))
    }
    #expect {
      try self.set("b.tar")
    } throws: { "\($0)".contains("b.tar") && "\($0)".contains("1.cls") }
  }

  @Test func badShardsAreNamed() throws {
    var tar = TarWriter()
    tar.add("1.latent", try samples.bytes(seed: 1))
    let first = tar.bytes.count
    tar.add("2.latent", try samples.bytes(seed: 2))
    try samples.write("a.tar", Array(tar.finished.prefix(first + 700)))
    #expect {
      try set("a.tar")
    } throws: { "\($0)".contains("a.tar") && "\($0)".contains("first 1 members are whole") }
    try samples.write("a.tar", Array(tar.finished))
    _ = try output(ofProgram: "/bin/gzip", ["-k", folder("a.tar")])
    #expect { try set("a.tar.gz") } throws: { "\($0)".contains("decompress it") }
    try writeShard("c.tar") { $0.add("1.latent", Array("no latent".utf8)) }
    #expect { try set("c.tar") } throws: { "\($0)".contains("c.tar: 1.latent") }
    try writeShard("d.tar") { tar in
      tar.add("1.latent", try samples.bytes(seed: 1))
      tar.add("2.latent", try samples.bytes(seed: 1, size: (4, 4)))
    }
    #expect {
      try set("d.tar")
    } throws: { "\($0)".contains("d.tar: 2.latent") && "\($0)".contains("d.tar: 1.latent") }
  }

  // MARK: Batches

  @Test func latentsComeInTheModelsSpaceOnceAnEpoch() throws {
    for number in 0..<6 {
      try samples.write(
        "data/\(number).latent", samples.bytes(seed: number) { $0.scalingFactor = 0.5 })
    }
    let loader = loader(try set("data"), batchSize: 3)
    let means = (0..<6).map { sampleTensor([1, 8, 8, 4], seed: UInt64($0 + 1)) * 0.5 }
    for epoch in 0..<3 {
      var seen: [Int] = []
      for batch in 0..<2 {
        let latents = try loader.batch(2 * epoch + batch).latents
        for place in 0..<3 {
          let latent = latents.images(place..<place + 1)
          seen.append(try #require(means.firstIndex { relativeError(latent, $0) < 1e-6 }))
        }
      }
      #expect(seen.sorted() == Array(0..<6))
    }
    #expect(try loader.batch(0).labels == nil)
    #expect(try loader.batch(1).latents.scalars == loader.batch(1).latents.scalars)
  }

  @Test func momentsAreDrawnAnewEachEpoch() throws {
    try samples.write("data/0.latent", samples.bytes(seed: 0, size: (32, 32), moments: true))
    let set = try set("data")
    let mean = sampleTensor([1, 32, 32, 4], seed: 1) * samples.model.scalingFactor
    let loader = loader(set, batchSize: 1)
    let draws = try (0..<2).map { try loader.batch($0).latents }
    #expect(draws[0].scalars != draws[1].scalars)
    for draw in draws {
      let deviations = (draw - mean).scalars.map { Double($0 / samples.model.scalingFactor) }
      let variance = deviations.reduce(0) { $0 + $1 * $1 } / Double(deviations.count)
      // e⁻², with a deviation of √(2/4096) of it.
      #expect(abs(variance / exponential(-2) - 1) < 0.1, "\(variance)")
    }
    #expect(try relativeError(loader.latents(0..<1).latents, mean) < 1e-6)
    let fixed = self.loader(set, batchSize: 1, draws: false)
    #expect(try relativeError(fixed.batch(1).latents, mean) < 1e-6)
  }

  @Test(arguments: [(0.0, 0.9), (0.5, 0.75), (1.0, 0.5)])
  func balanceDrawsClassesAsDocumented(_ balance: Double, _ part: Double) throws {
    try samples.writeClasses(["often"], count: 18)
    try samples.writeClasses(["seldom"], count: 2)
    let loader = loader(try set("data"), batchSize: 20, balance: balance)
    let labels = try (0..<100).flatMap { try loader.batch($0).labels ?? [] }
    let found = Double(labels.count { $0 == 0 }) / Double(labels.count)
    // Four deviations of 2000 draws; in whole epochs the part is exact.
    #expect(abs(found - part) <= (balance == 0 ? 0 : 0.045), "\(found)")
  }
}
