import Foundation
import Pipelines
import TestSupport
import Testing

@Suite struct OutputPlanTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func inputs(_ paths: String...) -> [InputFile] {
    paths.map { InputFile(path: folder("in/\($0)"), relativePath: $0) }
  }

  /// Where files go, relative to the test's folder.
  private func outputs(
    _ inputs: [InputFile], output: String?, to kind: [String] = ["latent"]
  ) throws -> [String] {
    try OutputPlan(
      for: inputs, inputExtensions: ["jpg", "png", "latent"], output: output.map { folder($0) },
      outputExtensions: kind
    ).files.map { String($0.outputPath.dropFirst(folder.path.count + 1)) }
  }

  @Test func aFolderIsMirrored() throws {
    #expect(
      try outputs(inputs("photo.jpg", "a/b/x.PNG"), output: "out")
        == ["out/photo.latent", "out/a/b/x.latent"])
  }

  @Test func withoutAnOutputResultsLieBesideTheInputs() throws {
    #expect(try outputs(inputs("a/photo.jpg"), output: nil) == ["in/a/photo.latent"])
  }

  @Test func inputsThatShareAStemBothSurviveThereAndBack() throws {
    let there = try outputs(
      inputs("photo.jpg", "photo.png", "other.jpg", "a/photo.jpg"), output: "o")
    #expect(
      there == ["o/photo.jpg.latent", "o/photo.png.latent", "o/other.latent", "o/a/photo.latent"])
    let latents = there.map { InputFile(path: folder($0), relativePath: String($0.dropFirst(2))) }
    #expect(
      try outputs(latents, output: "p", to: ["png"])
        == ["p/photo.jpg.png", "p/photo.png.png", "p/other.png", "p/a/photo.png"])
  }

  @Test func anInputThatIsCalledAsAnothersStemKeepsItsExtensionToo() throws {
    #expect(
      try outputs(inputs("photo.jpg", "photo.png", "photo.jpg.png"), output: "o")
        == ["o/photo.jpg.latent", "o/photo.png.latent", "o/photo.jpg.png.latent"])
    #expect(try outputs(inputs("p", "p.jpg"), output: "o") == ["o/p.latent", "o/p.jpg.latent"])
  }

  @Test func namesDependNeitherOnOrderNorOnWhatIsThere() throws {
    let all = inputs("a.jpg", "a.png", "a.jpg.png", "b.jpg", "b", "c.png", "c.png.jpg", "d.txt")
    let plan = { (files: [InputFile]) in
      Dictionary(uniqueKeysWithValues: zip(files, try outputs(files, output: "o")))
    }
    let first = try plan(all)
    #expect(Set(first.values).count == all.count)
    try folder.add("o/a.latent", "o/b.latent")
    #expect(try plan(all.reversed()) == first)
  }

  @Test func oneFolderUnderTwoNamesIsStillOneFolder() throws {
    try folder.add("in/a.jpg", "in/a.png")
    let files = [
      InputFile(path: folder("in/a.jpg"), relativePath: "a.jpg"),
      InputFile(path: folder("in/../in/a.png"), relativePath: "a.png"),
    ]
    #expect(
      try outputs(files, output: nil) == ["in/a.jpg.latent", "in/../in/a.png.latent"])
  }

  @Test func anUnknownExtensionIsPartOfTheName() throws {
    #expect(
      try outputs(inputs("scan.0001", "v1.2"), output: "o") == [
        "o/scan.0001.latent", "o/v1.2.latent",
      ])
  }

  @Test func anOutputWithTheResultsExtensionIsAFile() throws {
    #expect(try outputs(inputs("a.jpg"), output: "x/my.latent") == ["x/my.latent"])
    #expect(try outputs(inputs("a.latent"), output: "x.JPEG", to: ["jpg", "jpeg"]) == ["x.JPEG"])
    #expect(try outputs(inputs("a.latent"), output: "o", to: ["jpg", "jpeg"]) == ["o/a.jpg"])
    try folder.add("set.latent/x")
    #expect(try outputs(inputs("a.jpg"), output: "set.latent") == ["set.latent/a.latent"])
  }

  @Test func oneFileForTwoInputsIsRefused() {
    #expect(throws: OutputPlanError.oneFileForManyInputs(output: folder("o.latent"), inputCount: 2))
    {
      try outputs(inputs("a.jpg", "b.jpg"), output: "o.latent")
    }
  }

  @Test func aFileInPlaceOfTheOutputFolderIsRefused() throws {
    try folder.add("o.txt")
    let error = #expect(throws: OutputPlanError.self) {
      try outputs(inputs("a.jpg"), output: "o.txt")
    }
    #expect(error?.description.hasSuffix("ends in .latent") == true)
  }

  @Test func anOutputThatIsAnInputIsRefused() throws {
    try folder.add("in/a.png", "in/b.latent")
    try folder.link("linked", to: "in")
    #expect(throws: OutputPlanError.overwritesInput(output: folder("linked/a.png"))) {
      try outputs(inputs("a.png", "b.latent"), output: "linked", to: ["png"])
    }
    #expect(throws: OutputPlanError.self) {
      try outputs(inputs("a.png"), output: "in/a.png", to: ["png"])
    }
    // a.latent is not an input here: nothing is lost.
    #expect(try outputs(inputs("a.png"), output: nil) == ["in/a.latent"])
  }
}

@Suite struct ResumeRuleTests {
  private func decide(
    exists: Bool, force: Bool = false, _ kind: @escaping () throws -> ExistingOutput
  ) throws -> Bool {
    let folder = try TemporaryFolder()
    if exists { try folder.add("x.latent") }
    let file = PlannedFile(
      input: InputFile(path: "x.jpg", relativePath: "x.jpg"), outputPath: folder("x.latent"))
    return try ResumeRule.isUpToDate(file, force: force) { _ in try kind() }
  }

  @Test func aMissingOutputIsMadeWithoutLooking() throws {
    #expect(try decide(exists: false) { .foreign } == false)
  }

  @Test func anOutputIsSkippedOnlyIfItIsUpToDate() throws {
    #expect(try decide(exists: true) { .upToDate } == true)
    #expect(try decide(exists: true) { .outdated } == false)
    #expect(try decide(exists: true, force: true) { .upToDate } == false)
  }

  @Test func someoneElsesFileIsKept() throws {
    struct Unreadable: Error {}
    #expect(throws: RefusedOverwrite.self) { try decide(exists: true) { .foreign } }
    #expect(throws: RefusedOverwrite.self) { try decide(exists: true) { throw Unreadable() } }
    #expect(try decide(exists: true, force: true) { .foreign } == false)
  }
}
