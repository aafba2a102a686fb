import Foundation
import Images
import LatentFiles
import TestSupport
import Testing

/// What the commands that work on many files have in common.
@Suite struct FileCommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  private let encoding = ["encode", "in", "-o", "L", "--model", "kl"]

  private func encode(_ arguments: String...) throws -> Run {
    try work.start(encoding + arguments).result()
  }

  @Test func aBadFileIsListedAndTheOthersAreDone() throws {
    try work.add("in/a.png")
    try work.write(Array("no picture".utf8), to: "in/b.png")
    try work.write(Array(try samplePicture().encoded(as: .png()).dropLast(20)), to: "in/c.png")
    try work.add("in/d.png")
    let run = try work.start(encoding + ["in/missing.png", "--json"]).result()
    #expect(run.status == 1)
    #expect(work.files("L") == ["a.latent", "d.latent"])
    #expect(run.errors.contains("in/b.png: the file is neither PNG, JPEG nor WebP; convert it"))
    #expect(run.errors.contains("in/c.png: the PNG file ends before the picture does"))
    #expect(run.errors.contains("cannot find in/missing.png"))
    // A record for each input, and the sums.
    #expect(run.records.count == 6 && run.output.split(separator: "\n").count == 6)
    #expect(run.records.count { $0["status"] as? String == "done" } == 2)
    #expect(run.records.count { $0["status"] as? String == "failed" && $0["error"] != nil } == 3)
    #expect(run.count("inputs") == 5 && run.count("done") == 2)
    let facts = try #require(run.records.first { $0["output"] as? String == "L/a.latent" })
    #expect(facts["bytes"] as? Int == (try work.bytes("L/a.latent").count))
    #expect(facts["storage"] as? String == "int8" && facts["width"] as? Int == 16)
    #expect(facts["bits_per_pixel"] is Double && facts["compute_milliseconds"] is Double)
  }

  @Test func quietSaysNothingUnlessSomethingFails() throws {
    try work.add("in/a.png")
    let run = try encode("--quiet")
    #expect(run.status == 0 && run.output.isEmpty && run.errors.isEmpty)
    try work.write([0], to: "in/b.png")
    let failing = try encode("-q")
    #expect(failing.status == 1 && failing.output.isEmpty && failing.errors.contains("in/b.png"))
  }

  @Test func whereThereIsNothingToDoTheStatusIs3() throws {
    try work.write(Array("x".utf8), to: "in/readme.txt")
    let run = try encode()
    #expect(run.status == 3)
    #expect(
      run.errors
        == "lvae: no files found in in; looked for .jpeg, .jpg, .png, .webp (hidden files are left "
        + "out)\n")
    #expect(try work.lvae("decode", "nowhere", "--model", "kl").status == 3)
    try work.write([0], to: "in/only.png")
    #expect(try encode().status == 3)
  }

  // MARK: Places that can't be written

  @Test func aFileInTheWayOfAFolderIsNamed() throws {
    try work.add("in/sub/a.png")
    try work.write([1], to: "L/sub")
    let run = try encode()
    #expect(run.status == 3)
    #expect(run.errors.contains("cannot make the folder L/sub: Not a directory"))
    try work.write([1], to: "file")
    let usage = try work.lvae("encode", "in", "-o", "file", "--model", "kl")
    #expect(usage.status == 2 && usage.errors.contains("-o file is a file; give a folder"))
  }

  @Test func aFolderThatCannotBeWrittenIsNamed() throws {
    try work.add("in/a.png")
    guard let mount = try SmallDisk(at: work("L"), options: "ro,size=64k") else { return }
    defer { mount.remove() }
    let run = try encode()
    #expect(run.status == 3)
    #expect(run.errors.contains("cannot write L/a.latent: Read-only file system"))
    #expect(run.errors.contains("choose a folder that can be written, with -o"))
  }

  @Test func aFullDiskLeavesOnlyWholeFiles() throws {
    for index in 0..<6 {
      try work.add("in/\(index).png", samplePicture(96, 96, seed: UInt64(index)))
    }
    guard let mount = try SmallDisk(at: work("L"), options: "size=16k") else { return }
    defer { mount.remove() }
    let run = try encode("--storage", "f32")
    #expect(run.status == 1 || run.status == 3)
    #expect(run.errors.contains("No space left on device; free some space there or choose another"))
    let files = work.files("L")
    #expect(files.count < 6 && files.allSatisfy { $0.hasSuffix(".latent") }, "\(files)")
    for file in files { _ = try work.latent("L/\(file)") }
  }

  // MARK: Runs that are ended

  /// Many names of one picture whose encoding takes a while.
  private func addManyPictures() throws -> Int {
    let count = 150
    let picture = try samplePicture(128, 128).encoded(as: .png())
    for index in 0..<count { try work.write(picture, to: "in/\(index).png") }
    return count
  }

  /// The results that are in their places.
  private var latents: [String] { work.files("L").filter { $0.hasSuffix(".latent") } }

  /// Starts to encode, and sends a signal after the first files have appeared.
  private func interrupt(_ signal: Int32) throws -> Run {
    let (process, result) = try work.start(encoding)
    while process.isRunning, latents.count < 3 { Thread.sleep(forTimeInterval: 0.005) }
    kill(process.processIdentifier, signal)
    return try result()
  }

  /// What a run left is whole, and the next one completes it.
  private func expectContinuation(of count: Int) throws {
    let whole = latents
    #expect((3..<count).contains(whole.count))
    for file in whole { _ = try work.latent("L/\(file)") }
    let run = try encode("--json")
    #expect(run.status == 0 && run.count("skipped") == whole.count)
    #expect(run.count("done") == count - whole.count)
    let files = work.files("L")
    #expect(files.count == count && files.allSatisfy { !$0.hasPrefix(".") })
  }

  @Test func aKilledRunLeavesWholeFilesAndTheNextCompletesIt() throws {
    let count = try addManyPictures()
    #expect(try interrupt(SIGKILL).status == 128 + SIGKILL)
    // As if the run had been killed amid a file.
    try work.write([1, 2], to: "L/.7.latent.abcdef.lvae.tmp")
    try expectContinuation(of: count)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalEndsTheRunAfterTheFileInHand(_ signal: Int32) throws {
    let count = try addManyPictures()
    let run = try interrupt(signal)
    #expect(run.status == 128 + signal)
    #expect(run.errors.contains("stopping after the files in hand; once more to stop at once"))
    #expect(run.errors.contains("run the same command again to continue"))
    #expect(work.files("L").allSatisfy { $0.hasSuffix(".latent") })
    try expectContinuation(of: count)
  }

  @Test func aReaderThatGoesAwayStopsNothing() throws {
    for index in 0..<20 { try work.add("in/\(index).png") }
    let run = try work.bash(
      "set -o pipefail; \"$LVAE\" encode in -o L --model kl --json | head -n 1")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.split(separator: "\n").count == 1)
    #expect(work.files("L").count == 20)
  }
}
