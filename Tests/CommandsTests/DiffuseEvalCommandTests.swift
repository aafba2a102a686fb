import Foundation
import Images
import TestSupport
import Testing

@Suite struct DiffuseEvalCommandTests {
  let work: Workspace

  /// Bright and dark pictures in class folders, and a classifier that was trained a bit with them.
  init() throws {
    work = try Workspace()
    try add(12, to: "training", seed: 0)
    try add(6, to: "real", seed: 100)
    try add(5, to: "samples", seed: 200)
    let run = try work.lvae(
      "classifier-train", "training", "-o", "classifier", "--steps", "12", "--batch-size", "8", "-q"
    )
    #expect(run.status == 0 && run.errors.isEmpty && run.output.isEmpty, "\(run.errors)")
  }

  private func add(_ count: Int, to folder: String, seed: UInt64) throws {
    for index in 0..<count {
      for (name, shift) in [("bright", 150), ("dark", 0)] {
        let picture = samplePicture(20, 20, seed: seed + UInt64(index))
        let samples: [UInt8] = picture.eightBit().samples.bytes.map {
          UInt8(min(255, Int($0) / 3 + shift))
        }
        try work.add(
          "\(folder)/\(name)/\(index).png",
          Image(width: 20, height: 20, channels: .rgb, samples: .eightBit(samples)))
      }
    }
  }

  private func list(_ value: Any?) -> [[String: Any]] { value as? [[String: Any]] ?? [] }

  @Test func tablesPageAndJSONSayTheSame() throws {
    let arguments = [
      "diffuse-eval", "samples", "--real", "real", "--training", "training", "--classifier",
      "classifier",
    ]
    let text = try work.start(arguments + ["--report", "page/out.html"]).result()
    #expect(text.status == 0, "\(text.errors)")
    #expect(text.errors.contains("46 read of 46"))
    let object = try #require(try work.start(arguments + ["--json", "-q"]).result().records.first)
    let distances = list(object["distances"])
    #expect(
      distances.map { $0["sets"] as? String } == [
        "samples, real", "samples, training", "training, real", "samples, half of real",
        "two halves of real",
      ])
    #expect(
      distances.map { $0["pictures"] as? [Int] } == [
        [10, 12], [10, 24], [24, 12], [6, 6], [6, 6],
      ])
    #expect(distances.allSatisfy { $0["rank_deficient"] as? Bool == true })
    #expect(text.output.contains("haven't full rank"))
    let samples = list(object["samples"])
    #expect(samples.count == 10 && samples[0]["input"] as? String == "bright/0.png")
    #expect(samples.allSatisfy { $0["class"] != nil && $0["nearest_by_features"] != nil })
    #expect(list(object["copies"]).map { $0["distance"] as? String } == ["pixels", "features"])
    #expect((object["summary"] as? [String: Any])?["done"] as? Int == 46)
    let page = String(decoding: try work.bytes("page/out.html"), as: UTF8.self)
    #expect(page.hasPrefix("<!doctype html>") && page.matches(of: /<img\ /).count == 1)
    for title in ["distances of features", "classes", "nearest training pictures"] {
      #expect(text.output.contains(title) && page.contains(title))
    }
  }

  @Test func aCopyIsListedFirst() throws {
    try work.write(try work.bytes("training/dark/3.png"), to: "samples/dark/copied.png")
    let run = try work.lvae(
      "diffuse-eval", "samples", "--real", "real", "--training", "training", "--classifier",
      "classifier", "--json")
    let object = try #require(run.records.first)
    #expect(list(object["copies"]).first?["copies"] as? Int ?? 0 >= 1)
    let copied = list(object["samples"]).filter { $0["input"] as? String == "dark/copied.png" }
    let nearest = copied.first?["nearest_by_pixels"] as? [String: Any]
    #expect(nearest?["picture"] as? String == "dark/3.png" && nearest?["distance"] as? Double == 0)
  }

  @Test func samplesWithoutClassesAreMeasuredToo() throws {
    for index in 0..<3 { try work.add("flat/\(index).jpg", samplePicture(30, 20)) }
    let run = try work.lvae(
      "diffuse-eval", "flat", "--real", "real", "--classifier", "classifier", "--json")
    let object = try #require(run.records.first)
    #expect(run.status == 0 && list(object["copies"]).isEmpty)
    let accuracy = object["accuracy"] as? [String: Any]
    #expect(accuracy?["samples"] == nil && accuracy?["real"] is Double)
    #expect(list(object["samples"]).allSatisfy { $0["class"] == nil && $0["seen_as"] is String })
    try work.write(Array("name,class\n0.png,dark\n1,dark\n2,bright\n".utf8), to: "classes.csv")
    let labelled = try work.lvae(
      "diffuse-eval", "flat", "--real", "real", "--classifier", "classifier", "--json", "--labels",
      "classes.csv")
    let classes = list(labelled.records.first?["samples"]).map { $0["class"] as? String }
    #expect(classes == ["dark", "dark", "bright"])
  }

  @Test func aPictureThatFailsIsListedAndTheOthersAreMeasured() throws {
    try work.write(Array("no picture".utf8), to: "samples/dark/bad.png")
    let run = try work.lvae(
      "diffuse-eval", "samples", "--real", "real", "--classifier", "classifier", "--report",
      "o.html")
    #expect(run.status == 1 && run.output.contains("distances of features"))
    #expect(run.errors.contains("bad.png") && run.errors.contains("22 read, 1 failed of 23"))
    #expect(String(decoding: try work.bytes("o.html"), as: UTF8.self).contains("bad.png"))
  }

  @Test func whatCannotBeDoneIsTold() throws {
    try work.write([1, 2, 3], to: "broken/x.png")
    try work.add("strange/star/a.png")
    try work.add("strange/star/b.png")
    let good = ["--real", "real", "--classifier", "classifier"]
    for (arguments, status, message) in [
      (["diffuse-eval", "nosuch"] + good, Int32(3), "no files found"),
      (["diffuse-eval", "broken"] + good, 3, "no picture in it can be read"),
      (["diffuse-eval", "strange"] + good, 3, "doesn't know the classes star"),
      (
        ["diffuse-eval", "samples", "--real", "real", "--classifier", "kl"], 3, "PictureClassifier"
      ),
      (["diffuse-eval", "samples", "--real", "real", "--classifier", "no"], 3, "no/config.json"),
      (["diffuse-eval", "samples", "--real", "real"], 2, "--classifier"),
      (["diffuse-eval", "samples"] + good + ["--threads", "0"], 2, "--threads 0"),
      (["classifier-train", "strange", "-o", "new"], 3, "two classes"),
      (["classifier-train", "training", "-o", "kl"], 3, "another folder"),
      (["classifier-train", "training", "-o", "new", "--steps", "0"], 2, "--steps 0"),
    ] {
      let run = try work.start(arguments).result()
      #expect(run.status == status && run.errors.contains(message), "\(arguments) \(run.errors)")
      #expect(run.output.isEmpty)
    }
    #expect(!work.exists("new"))
  }
}

extension Image.Samples {
  /// Those of 8 bits.
  fileprivate var bytes: [UInt8] {
    if case .eightBit(let samples) = self { samples } else { [] }
  }
}
