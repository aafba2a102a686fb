import Foundation
import Pipelines
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func aFileAppearsOnlyWhenItIsCommitted() throws {
    try folder.write("x", "old")
    let file = try AtomicFile(replacing: folder("x"))
    try file.write(bytes("new "))
    try file.write(bytes("text"))
    #expect(try folder.text("x") == "old")
    let temporary = try folder.names().filter { $0 != "x" }
    #expect(temporary.count == 1 && temporary.allSatisfy(AtomicFile.isTemporary))
    try file.commit()
    #expect(try folder.text("x") == "new text")
    #expect(try folder.names() == ["x"])
  }

  @Test func aFileThatIsNotCommittedLeavesNothing() throws {
    do {
      let file = try AtomicFile(replacing: folder("x"))
      try file.write(bytes("half"))
    }
    #expect(try folder.names() == [])
  }

  @Test func permissionsFollowTheUmask() throws {
    let plain = folder("plain")
    close(unsafe creat(plain, 0o666))
    try AtomicFile.write(bytes("x"), to: folder("x"))
    let modes = try ["plain", "x"].map {
      try FileManager.default.attributesOfItem(atPath: folder($0))[.posixPermissions] as? Int
    }
    #expect(modes[0] == modes[1])
  }

  @Test func errorsNameTheFileAndSayWhatToDo() throws {
    try folder.add("file", "sub/x")
    let cases = [("file/x", ENOTDIR), ("sub", EISDIR), ("none/x", ENOENT)]
    for (name, code) in cases {
      let error = #expect(throws: FileError.self) { try AtomicFile.write([1], to: folder(name)) }
      #expect(error?.code == code)
      #expect(error?.path == folder(name))
      #expect(error?.description.contains("; ") == true)
    }
    #expect(try folder.names() == ["file", "sub"])
    let long = folder(String(repeating: "x", count: 256))
    #expect(throws: FileError("write", long, code: ENAMETOOLONG)) {
      try AtomicFile.write([1], to: long)
    }
  }

  @Test func aNameAsLongAsTheSystemAllowsIsWritten() throws {
    for length in [230, 240, 254] {
      let name = String(repeating: "x", count: length)
      try AtomicFile.write([1], to: folder(name))
      #expect(try folder.names().contains(name))
    }
    try AtomicFile.write([1], to: folder(String(repeating: "ä", count: 127)))
  }

  @Test func aDeviceIsNotReplaced() {
    #expect(throws: FileError.self) { try AtomicFile.write([1], to: "/dev/null") }
  }

  @Test func aFullDiskIsAnErrorThatSaysSo() throws {
    let full = try FileDescriptor(opening: "/dev/full", O_WRONLY)
    let error = #expect(throws: FileError.self) { try full.write([1, 2, 3].span) }
    #expect(error?.code == ENOSPC)
    #expect(error?.description.contains("No space left on device; free some space") == true)
  }

  @Test func temporariesOfTheDeadGoAndThoseOfTheLivingStay() throws {
    try folder.add(
      ".x.latent.aB3xY9.lvae.tmp", ".y.aaaaaa.lvae.tmp", ".z.aB3.lvae.tmp", "x.aB3xY9.lvae.tmp",
      ".x.aB3xY9.tmp", "x")
    let alive = try AtomicFile(replacing: folder("x"))
    try alive.write(bytes("new"))
    #expect(AtomicFile.removeStaleTemporaries(in: folder.path) == 2)
    try alive.commit()
    #expect(
      try folder.names() == [".x.aB3xY9.tmp", ".z.aB3.lvae.tmp", "x", "x.aB3xY9.lvae.tmp"])
    #expect(try folder.text("x") == "new")
  }

  @Test func clearingUpWhileOthersWriteBreaksNothing() async throws {
    let path = folder.path
    await withTaskGroup(of: Int.self) { group in
      group.addTask {
        for _ in 0..<300 { AtomicFile.removeStaleTemporaries(in: path) }
        return 0
      }
      for writer in 0..<2 {
        group.addTask {
          (0..<100).count { index in
            (try? AtomicFile.write([1], to: "\(path)/\(writer)-\(index)", syncingFolder: false))
              == nil
          }
        }
      }
      for await failures in group { #expect(failures == 0) }
    }
    #expect(try folder.names().count == 200)
  }

  @Test func aKilledRunLeavesOnlyWholeFiles() async throws {
    // The child can't be told a path; it knows its parent.
    let path = "\(FileManager.default.temporaryDirectory.path(percentEncoded: false))lvae-killed-"
    let mine = path + "\(getpid())"
    try FileManager.default.createDirectory(atPath: mine, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: mine) }
    await #expect(processExitsWith: .signal(SIGKILL)) {
      let path = FileManager.default.temporaryDirectory.path(percentEncoded: false)
      let folders = OutputFolders()
      Thread.detachNewThread {
        usleep(200_000)
        kill(getpid(), SIGKILL)
      }
      for round in 0... {
        let content = [UInt8](repeating: UInt8(round % 251), count: 3_000_000)
        try folders.write(content, to: "\(path)lvae-killed-\(getppid())/sub/\(round % 7)")
      }
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: mine + "/sub")
    let whole = names.filter { !AtomicFile.isTemporary(name: $0) }
    #expect(!whole.isEmpty)
    for name in whole {
      let data = try Data(contentsOf: URL(filePath: "\(mine)/sub/\(name)"))
      #expect(data.count == 3_000_000 && Set(data).count == 1)
    }
    #expect(AtomicFile.removeStaleTemporaries(in: mine + "/sub") == names.count - whole.count)
  }

  @Test func outputFoldersAreMadeAndClearedOnce() throws {
    try folder.add("out/.a.aaaaaa.lvae.tmp")
    let folders = OutputFolders()
    try folders.write(bytes("a"), to: folder("out/a"))
    try folders.write(bytes("b"), to: folder("out/new/deep/b"))
    try folders.finish()
    #expect(try folder.text("out/new/deep/b") == "b")
    #expect(!FileManager.default.fileExists(atPath: folder("out/.a.aaaaaa.lvae.tmp")))
    #expect(throws: FileError("make the folder", folder("out/a/c"), code: ENOTDIR)) {
      try folders.write(bytes("c"), to: folder("out/a/c/d"))
    }
  }
}
