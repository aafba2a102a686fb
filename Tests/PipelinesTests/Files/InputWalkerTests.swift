import Foundation
import Pipelines
import TestSupport
import Testing

@Suite struct InputWalkerTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func relativePaths(_ inputs: String...) throws -> [String] {
    try InputWalker.expand(inputs.map { folder($0) }, extensions: ["jpg", "png"])
      .files.map(\.relativePath)
  }

  @Test func foldersAreWalkedInTheOrderOfTheirNamesBytes() throws {
    try folder.add("d/b.jpg", "d/a/z.png", "d/Z.jpg", "d/ä.jpg", "d/a.jpg", "d/10.jpg", "d/9.jpg")
    #expect(
      try relativePaths("d") == [
        "10.jpg", "9.jpg", "Z.jpg", "a/z.png", "a.jpg", "b.jpg", "ä.jpg",
      ])
  }

  @Test func hiddenAndUnwantedFilesAreLeftOut() throws {
    try folder.add("d/.a.jpg", "d/.git/b.jpg", "d/notes.txt", "d/jpg", "d/B.JPG", "d/c.jpg.bak")
    #expect(try relativePaths("d") == ["B.JPG"])
  }

  @Test func aFileThatIsNamedIsTakenWhateverItsExtension() throws {
    try folder.add(".hidden", "scan.0001")
    #expect(try relativePaths("scan.0001", ".hidden") == ["scan.0001", ".hidden"])
  }

  @Test func aPathIsTheArgumentAndTheWayBelowIt() throws {
    try folder.add("d/a/x.jpg")
    let list = try InputWalker.expand([folder("d") + "/"], extensions: ["jpg"])
    #expect(list.files == [InputFile(path: folder("d/a/x.jpg"), relativePath: "a/x.jpg")])
    #expect(list.files.first?.url.path(percentEncoded: false) == folder("d/a/x.jpg"))
  }

  @Test func linksToFoldersAreFollowedAndLoopsEnd() throws {
    try folder.add("d/a/x.jpg", "elsewhere/y.jpg")
    try folder.link("d/a/up", to: "..")
    try folder.link("d/a/self", to: ".")
    try folder.link("d/other", to: "../elsewhere")
    #expect(try relativePaths("d") == ["a/x.jpg", "other/y.jpg"])
  }

  @Test func linksToFilesAreFilesOfTheirOwn() throws {
    try folder.add("d/a.jpg")
    try folder.link("d/b.jpg", to: "a.jpg")
    #expect(try relativePaths("d") == ["a.jpg", "b.jpg"])
  }

  @Test func aBrokenLinkIsAFailureIfItWouldHaveBeenTaken() throws {
    try folder.add("d/a.jpg")
    try folder.link("d/b.jpg", to: "nowhere")
    try folder.link("d/c.txt", to: "nowhere")
    let list = try InputWalker.expand([folder("d")], extensions: ["jpg"])
    #expect(list.files.map(\.relativePath) == ["a.jpg"])
    #expect(list.failures.map(\.path) == [folder("d/b.jpg")])
  }

  @Test func whatIsGivenTwiceCountsOnce() throws {
    try folder.add("d/sub/x.jpg", "d/y.jpg")
    try folder.link("e", to: "d")
    #expect(try relativePaths("d", "d/../d", "e") == ["sub/x.jpg", "y.jpg"])
    #expect(try relativePaths("d/y.jpg", "d", "d/./y.jpg") == ["y.jpg", "sub/x.jpg"])
    #expect(try relativePaths("d", "d/sub").count == 2)
    #expect(try relativePaths("d/sub", "d").count == 2)
  }

  @Test func severalFoldersAreMirroredBelowTheirNames() throws {
    try folder.add("a/x.jpg", "b/x.jpg", "c/a/x.jpg", "x.jpg")
    #expect(
      try relativePaths("a", "b", "c/a", "x.jpg") == ["a/x.jpg", "b/x.jpg", "a-2/x.jpg", "x.jpg"])
  }

  @Test func namedFilesOfOneNameAreNumbered() throws {
    try folder.add("a/x.jpg", "b/x.jpg", "x-2.jpg")
    #expect(
      try relativePaths("a/x.jpg", "b/x.jpg", "x-2.jpg") == ["x.jpg", "x-2.jpg", "x-2-2.jpg"])
  }

  @Test func missingInputsAreFailuresAndTheOthersAreTaken() throws {
    try folder.add("a.jpg")
    let list = try InputWalker.expand(
      [folder("none"), folder("a.jpg"), folder("a.jpg/below")], extensions: ["jpg"])
    #expect(list.files.count == 1)
    #expect(list.failures.map(\.path) == [folder("none"), folder("a.jpg/below")])
    #expect(list.failures.first?.reason.contains("No such file") == true)
  }

  @Test func anUnreadableFolderIsAFailureAndTheOthersAreWalked() throws {
    // Permissions don't stop root, a path that is too long stops everybody.
    let name = String(repeating: "n", count: 200)
    try folder.add("d/a/x.jpg", "d/z.jpg")
    let deep = (0..<25).map { _ in name }.joined(separator: "/")
    try makeDeepFolder(folder("d/m"), count: 25, name: name)
    let list = try InputWalker.expand([folder("d")], extensions: ["jpg"])
    #expect(list.files.map(\.relativePath) == ["a/x.jpg", "z.jpg"])
    #expect(list.failures.count == 1)
    #expect(list.failures.first.map { $0.path.count < deep.count } == true)
  }

  /// Makes folders deeper than any path can say, from the inside out.
  private func makeDeepFolder(_ path: String, count: Int, name: String) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: path, withIntermediateDirectories: true)
    for _ in 0..<count {
      let outer = path + "-new"
      try files.createDirectory(atPath: outer, withIntermediateDirectories: true)
      try files.moveItem(atPath: path, toPath: "\(outer)/\(name)")
      try files.moveItem(atPath: outer, toPath: path)
    }
  }

  @Test func aNameThatIsNotUTF8IsAFailure() throws {
    try folder.add("d/a.jpg")
    let name = (Array(folder("d/").utf8) + [0xFF] + Array(".jpg".utf8) + [0])
      .map { CChar(bitPattern: $0) }
    let created = unsafe creat(name, 0o644)
    #expect(created >= 0)
    close(created)
    let list = try InputWalker.expand([folder("d")], extensions: ["jpg"])
    #expect(list.files.count == 1)
    #expect(list.failures.first?.reason == "its name is not UTF-8; rename it")
  }

  @Test func nothingFoundSaysWhatWasLookedFor() throws {
    try folder.add("d/a.txt")
    let error = #expect(throws: InputError.self) { try relativePaths("d", "none") }
    let text = error?.description ?? ""
    #expect(text.contains(".jpg, .png") && text.contains(folder("d")))
    #expect(text.contains("No such file"))
  }
}
