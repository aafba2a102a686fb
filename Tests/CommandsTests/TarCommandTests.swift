import Foundation
import Images
import LatentFiles
import Pipelines
import TestSupport
import Testing

@Suite struct TarCommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  /// A WebDataset shard of pictures with captions and classes.
  private func addShard(_ name: String, keys: [String], bad: Set<String> = []) throws {
    var tar = TarWriter()
    for (number, key) in keys.enumerated() {
      let image = samplePicture(16, 12, seed: UInt64(number + 1))
      tar.add("\(key).cls", Array("\(number % 2)".utf8))
      tar.add(
        "\(key).png",
        bad.contains(key) ? Array("no picture".utf8) : try image.encoded(as: .png()))
      tar.add("\(key).txt", Array("caption of \(key)\n".utf8))
    }
    try work.write(tar.finished, to: name)
  }

  private func members(_ name: String) throws -> [String: [UInt8]] {
    let reader = try TarReader(path: work(name))
    var found: [String: [UInt8]] = [:]
    while let member = try reader.next() { found[member.name] = try reader.bytes() }
    return found
  }

  @Test func shardsGoInAndOut() throws {
    try addShard("s-000.tar", keys: ["a", "b"])
    try addShard("s-001.tar", keys: ["c", "d", "e"])
    let run = try work.lvae("encode", "s-{000..001}.tar", "-o", "L", "--model", "kl")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("5 encoded of 5"))
    #expect(work.files("L") == ["s-000.tar", "s-001.tar"])
    let shard = try members("L/s-001.tar")
    #expect(
      Set(shard.keys)
        == Set(["c", "d", "e"].flatMap { key in ["cls", "latent", "txt"].map { "\(key).\($0)" } }))
    #expect(shard["d.txt"] == Array("caption of d\n".utf8))
    // As if the picture had been encoded by itself.
    try work.add("d.png", samplePicture(16, 12, seed: 2))
    #expect(try work.lvae("encode", "d.png", "--model", "kl").status == 0)
    #expect(try work.bytes("d.latent") == shard["d.latent"])

    let again = try work.lvae("encode", "s-{000..001}.tar", "-o", "L", "--model", "kl", "--json")
    #expect(again.count("skipped") == 5 && again.status == 0, "\(again.errors)")

    let back = try work.lvae("decode", "L/s-001.tar", "-o", "R", "--model", "kl", "--json")
    #expect(back.status == 0, "\(back.errors)")
    #expect(
      back.records.compactMap { $0["member"] as? String } == ["c", "d", "e"].map { "\($0).latent" })
    let pictures = try members("R/s-001.tar")
    #expect(try Image(decoding: #require(pictures["c.png"])).width == 16)
    #expect(pictures["c.cls"] == Array("0".utf8))
    let kept = try work.lvae("decode", "L/s-001.tar", "-o", "R", "--model", "kl", "--json")
    #expect(kept.count("skipped") == 3)
  }

  @Test func streamsGoThroughPipes() throws {
    try addShard("s.tar", keys: ["a", "b"], bad: ["b"])
    let run = try work.bash(
      "cat s.tar | $LVAE encode - --model kl | $LVAE decode - --model kl --format jpg > out.tar; "
        + "echo ${PIPESTATUS[@]}")
    #expect(run.output == "0 1 0\n", "\(run.errors)")
    #expect(try Set(members("out.tar").keys) == ["a.jpg", "a.cls", "a.txt"])
    #expect(try work.bash("$LVAE encode s.tar -o - --model kl > a.tar").status == 1)
    #expect(try work.bash("$LVAE encode - -o b.tar --model kl < s.tar").status == 1)
    #expect(try work.bytes("a.tar") == work.bytes("b.tar"))
  }

  @Test func diffuseTrainReadsTheShards() throws {
    try addShard("s.tar", keys: ["a", "b", "c", "d"])
    #expect(try work.lvae("encode", "s.tar", "-o", "L", "--model", "kl").status == 0)
    let settings = """
      {
        "model": {
          "_class_name": "UNet2DModel", "block_out_channels": [8],
          "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"],
          "layers_per_block": 1, "norm_num_groups": 4
        },
        "autoencoder": "./kl", "data": {"batch_size": 2, "validation_fraction": 0.25},
        "sampling": {"steps": 1}, "train": {"steps": 1, "sample_count": 1}
      }
      """
    try work.write(Array(settings.utf8), to: "run.json")
    let run = try work.lvae("diffuse-train", "L", "-o", "D", "--config", "run.json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("4 latents of 4×3×4 in 2 classes: 0 2, 1 2"), "\(run.errors)")
  }

  @Test func aCutOffTarIsTold() throws {
    try addShard("s.tar", keys: ["a", "b"])
    let bytes = try work.bytes("s.tar")
    try work.write(Array(bytes[..<(bytes.count - 1600)]), to: "cut.tar")
    for arguments in [["cut.tar", "-o", "L"], ["-", "-o", "x.tar"]] {
      let run = try work.bash(
        "$LVAE encode \(arguments.joined(separator: " ")) --model kl < cut.tar")
      #expect(run.status == 1)
      #expect(run.errors.contains("the tar is cut off; its first 5 members are whole"))
    }
    #expect(try members("L/cut.tar").count == 5)
    #expect(try work.bytes("x.tar") == work.bytes("L/cut.tar"))
  }

  @Test func hostileTarsAreRefusedWithTheReason() throws {
    for (name, member, kind, reason) in [
      ("up", "../x.png", TarWriter.Kind.file, "outside of the folder"),
      ("absolute", "/tmp/x.png", .file, "outside of the folder"),
      ("link", "x.png", .symbolicLink, "a symbolic link"),
    ] {
      var tar = TarWriter()
      tar.add("good.png", try samplePicture().encoded(as: .png()))
      tar.add(member, kind: kind, target: "/etc/passwd")
      try work.write(tar.finished, to: "\(name).tar")
      let run = try work.lvae("encode", "\(name).tar", "-o", "L", "--model", "kl", "--json")
      #expect(run.status == 3, "\(name): \(run.errors)")
      #expect(run.errors.contains(reason), "\(run.errors)")
      #expect(run.records.contains { $0["status"] as? String == "done" } == false)
    }
    #expect(work.files("L") == [])
  }

  @Test func argumentsThatMakeNoSenseAreUsageErrors() throws {
    try addShard("s.tar", keys: ["a"])
    try work.add("x.png")
    for arguments in [
      ["s.tar", "x.png", "-o", "L"], ["s.tar", "-", "-o", "L"], ["s.tar"], ["-", "-o", "L"],
      ["-", "--json"], ["-", "--shard", "0/2"], ["s-{9..0}.tar", "-o", "L"],
    ] {
      let run = try work.start(["encode"] + arguments).result()
      #expect(run.status == 2, "\(arguments): \(run.errors)")
    }
    #expect(work.files("L") == [])
  }

  @Test func aShardTakesWholeTars() throws {
    for number in 0..<6 { try addShard("in/\(number).tar", keys: ["k\(number)"]) }
    for index in 0..<2 {
      let run = try work.bash("$LVAE encode in/*.tar -o L --model kl --shard \(index)/2")
      #expect(run.status == 0, "\(run.errors)")
    }
    #expect(work.files("L").filter { $0.hasSuffix(".tar") }.count == 6)
    let merged = try work.lvae("merge", "L", "--json")
    #expect(merged.status == 0, "\(merged.errors)")
  }
}
