import Foundation
import Pipelines
import Synchronization
import TestSupport
import Testing

@Suite struct TarTranscoderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private struct Bad: Error {}

  /// Members .up become .low in lower case, unless they are bad.
  private let computed = Counter()

  private final class Counter: Sendable {
    private let count = Mutex(0)
    func add() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
  }

  private var transcoder: TarTranscoder<String, String, Int> {
    let computed = computed
    return TarTranscoder(
      TarMemberWork(
        inputExtensions: ["up"], outputExtension: "low",
        isOwn: { !String(decoding: $0, as: UTF8.self).contains("FOREIGN") },
        isCurrent: { String(decoding: $0, as: UTF8.self).lowercased().utf8.elementsEqual($1) },
        read: { name, bytes in
          let text = String(decoding: bytes, as: UTF8.self)
          if text.contains("BAD") { throw Bad() }
          return text
        },
        compute: { text in
          computed.add()
          return text.lowercased()
        },
        pack: { FileRun.Result(bytes: Array($0.utf8), note: $0.utf8.count) }))
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(filePath: folder(name)))
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: folder(name))))
  }

  @discardableResult
  private func run(
    _ tar: [UInt8]? = nil, force: Bool = false, stop: StopFlag = StopFlag(),
    report: @escaping @Sendable (TarItem, StageOutcome<Int>) -> Void = { _, _ in }
  ) throws -> TarOutcome {
    if let tar { try write("in.tar", tar) }
    return try transcoder(
      .file(folder("in.tar")), to: .file(folder("out.tar"), OutputFolders()), force: force,
      stop: stop, report: report)
  }

  /// The members as Python's tarfile sees them; GNU tar must be content, too.
  private func members(_ name: String = "out.tar") throws -> [String] {
    _ = try output(ofProgram: "/bin/tar", ["-tf", folder(name)])
    let reader = try TarReader(path: folder(name))
    var found: [String] = []
    while let member = try reader.next() {
      found.append("\(member.name)=\(String(decoding: try reader.bytes(), as: UTF8.self))")
    }
    return found
  }

  private func tar(_ members: KeyValuePairs<String, String>) -> TarWriter {
    var tar = TarWriter()
    for (name, text) in members { tar.add(name, Array(text.utf8)) }
    return tar
  }

  @Test func membersAreMadeAndOthersCarriedAlongInOrder() throws {
    let outcome = try run(
      tar([
        "a.json": "{}", "a.txt": "Caption A", "a.up": "AAA", "b.up": "BB", "b.cls": "7",
        "deep/c.Up": "C", ".d.up": "HIDDEN",
      ]).finished)
    #expect(
      try members() == [
        "a.json={}", "a.txt=Caption A", "a.low=aaa", "b.low=bb", "b.cls=7", "deep/c.low=c",
        ".d.up=HIDDEN",
      ])
    #expect(outcome.workCount == 3 && outcome.carriedCount == 4 && outcome.isChanged)
  }

  @Test func longAndForeignNamesSurvive() throws {
    let long = String(repeating: "long", count: 60)
    for (name, text) in [("\(long).up", "X"), ("größe/ü.up", "Y"), ("z.txt", "Z")] {
      try folder.write("data/\(name)", text)
    }
    _ = try output(
      ofProgram: "/bin/tar",
      ["--format=gnu", "--sort=name", "-cf", folder("in.tar"), "-C", folder("data"), "."])
    try run()
    let expected = ["\(long).low=x", "größe/ü.low=y", "z.txt=Z"]
    #expect(try members().sorted() == expected.sorted())
    #expect(try TarReader.index(of: folder("out.tar")).map(\.member.name).count == 3)
  }

  @Test func twoInputsOfOneStemBothSurvive() throws {
    // Nothing distinguishes X.up from x.UP but case: their stems differ, these don't.
    try run(tar(["x.up": "ONE", "x.UP": "TWO"]).finished)
    #expect(try members() == ["x.low=one", "x.UP.low=two"])
  }

  @Test func aSampleWithABadMemberIsLeftOutAndListed() throws {
    let failed = Mutex<[String]>([])
    let outcome = try run(
      tar([
        "a.txt": "a", "a.up": "A", "b.txt": "b", "b.up": "BAD", "b.json": "{}", "c.up": "C",
        "c.txt": "c",
      ]).finished
    ) { item, outcome in
      if case .failed = outcome { failed.withLock { $0.append(item.name) } }
    }
    #expect(try members() == ["a.txt=a", "a.low=a", "c.low=c", "c.txt=c"])
    #expect(failed.withLock { $0 } == ["b.up"])
    #expect(outcome.droppedCount == 2 && outcome.problem == nil)
  }

  @Test func ofATarThatIsCutOffWhatIsWholeIsKept() throws {
    let whole = tar(["a.up": "AAA", "b.up": String(repeating: "B", count: 2000), "c.up": "C"])
      .finished
    for (length, expected) in [
      (514, 0), (600, 1), (1024, 1), (1700, 1), (3000, 1), (3584, 2), (4000, 2), (4608, 3),
      (4700, 3),
    ] {
      try? FileManager.default.removeItem(atPath: folder("out.tar"))
      let outcome = try run(Array(whole[..<length]))
      let problem = try #require(outcome.problem as? TarError)
      guard case .cutOff = problem else {
        Issue.record("\(length): \(problem)")
        continue
      }
      #expect(outcome.isWritten)
      #expect(try members().count == expected, "\(length)")
    }
  }

  @Test func tarsThatWereJoinedAreOne() throws {
    let (first, second) = (tar(["a.up": "A"]).finished, tar(["b.up": "B"]).finished)
    #expect(try run(first + second).problem == nil)
    #expect(try members() == ["a.low=a", "b.low=b"])
    // Nothing that follows goes unnoticed.
    #expect(try run(first + [UInt8](repeating: 0, count: 9216)).problem == nil)
    #expect(try members() == ["a.low=a"])
    #expect(try run(first + [UInt8](repeating: 7, count: 512)).problem != nil)
  }

  @Test(arguments: ["/etc/x.up", "../x.up", "a/../../x.up"])
  func unsafeNamesAreRefused(_ name: String) throws {
    let outcome = try run(tar(["a.up": "A", name: "X"]).finished)
    #expect((outcome.problem as? TarError)?.description.contains("outside") == true)
    #expect(!outcome.isWritten)
    #expect(!FileManager.default.fileExists(atPath: folder("out.tar")))
  }

  @Test(arguments: [false, true])
  func linksAreRefused(_ isHard: Bool) throws {
    var tar = tar(["a.up": "A"])
    tar.add("b.up", kind: isHard ? .hardLink : .symbolicLink, target: "a.up")
    let outcome = try run(tar.finished)
    guard case .notAFile? = outcome.problem as? TarError else {
      Issue.record("\(String(describing: outcome.problem))")
      return
    }
    #expect(!outcome.isWritten)
  }

  @Test func duplicateNamesAreRefused() throws {
    for names in [["a.up", "a.up"], ["a.txt", "b.up", "a.txt"], ["a.up", "a.low"]] {
      var tar = TarWriter()
      for name in names { tar.add(name, Array("X".utf8)) }
      let outcome = try run(tar.finished)
      guard case .duplicate? = outcome.problem as? TarError else {
        Issue.record("\(names): \(String(describing: outcome.problem))")
        continue
      }
      #expect(!outcome.isWritten)
    }
  }

  // MARK: Again

  @Test func whatWasMadeIsKept() throws {
    let first = tar(["a.txt": "a", "a.up": "A", "b.up": "BAD", "c.up": "C"]).finished
    try run(first)
    #expect(computed.value == 2)
    let bytes = try bytes("out.tar")
    let again = try run()
    #expect(computed.value == 2)
    #expect(!again.isChanged && again.workCount == 2)
    #expect(try self.bytes("out.tar") == bytes)
    // One member changed, one mended, one new: the others are kept.
    let outcome = try run(
      tar(["a.txt": "other", "a.up": "A", "b.up": "B", "c.up": "C", "d.up": "D"]).finished)
    #expect(computed.value == 4)
    #expect(outcome.isChanged)
    #expect(try members() == ["a.txt=other", "a.low=a", "b.low=b", "c.low=c", "d.low=d"])
    // What isn't there any more goes.
    try run(tar(["a.up": "A"]).finished)
    #expect(try members() == ["a.low=a"])
    try run(force: true)
    #expect(computed.value == 6)
  }

  @Test func aForeignTarIsNotOverwritten() throws {
    try write("out.tar", tar(["x.low": "FOREIGN"]).finished)
    #expect(throws: RefusedOverwrite.self) { try run(tar(["a.up": "A"]).finished) }
    try write("out.tar", Array("no tar".utf8))
    #expect(throws: RefusedOverwrite.self) { try run() }
    try run(force: true)
    #expect(try members() == ["a.low=a"])
  }

  @Test func aRunThatIsStoppedLeavesNoTar() throws {
    let stop = StopFlag()
    var tar = TarWriter()
    for number in 0..<2000 { tar.add("\(number).up", Array("X\(number)".utf8)) }
    let outcome = try run(tar.finished, stop: stop) { item, _ in
      if item.name == "20.up" { stop.set() }
    }
    #expect(!outcome.isWritten && outcome.problem == nil)
    #expect(try folder.names() == ["in.tar"])
  }

  @Test func aFullDiskIsAnErrorAndLeavesWhatWasThere() throws {
    guard let disk = try SmallDisk(at: folder("disk"), options: "size=64k") else { return }
    defer { disk.remove() }
    var tar = TarWriter()
    for number in 0..<200 { tar.add("\(number).up", [UInt8](repeating: 0x41, count: 1000)) }
    try write("in.tar", tar.finished)
    #expect(throws: FileError.self) {
      try transcoder(
        .file(folder("in.tar")), to: .file(folder("disk/out.tar"), OutputFolders()),
        stop: StopFlag()
      ) { _, _ in }
    }
    #expect(!FileManager.default.fileExists(atPath: folder("disk/out.tar")))
  }
}
