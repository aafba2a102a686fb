import Foundation
import Pipelines
import TestSupport
import Testing

@Suite struct TarReaderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: folder("a.tar")))
    return folder("a.tar")
  }

  private func contents(
    of path: String, limits: TarReader.Limits = .init()
  ) throws -> [String: String] {
    let reader = try TarReader(path: path, limits: limits)
    var found: [String: String] = [:]
    while let member = try reader.next() {
      let bytes = try reader.bytes()
      #expect(bytes.count == member.byteCount)
      found[member.name] = String(decoding: bytes, as: UTF8.self)
    }
    return found
  }

  private func indexed(_ path: String) throws -> [String: String] {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    return Dictionary(
      uniqueKeysWithValues: try TarReader.index(of: path).map { member, range in
        (member.name, String(decoding: bytes[range], as: UTF8.self))
      })
  }

  private static let files = [
    "a/x.txt": "one", "a/\(String(repeating: "long", count: 60)).txt": "two", "empty": "",
    "größe/ü.txt": String(repeating: "three", count: 1000),
  ]

  private func packed(_ arguments: String...) throws -> String {
    for (name, text) in Self.files { try folder.write("data/\(name)", text) }
    let path = folder("packed.tar")
    _ = try output(ofProgram: "/bin/tar", arguments + ["-cf", path, "-C", folder("data"), "."])
    return path
  }

  @Test(arguments: ["gnu", "pax", "posix"])
  func tarsOfGNUTarAreReadInOrderAndAnywhere(_ format: String) throws {
    let path = try packed("--format=\(format)")
    #expect(try contents(of: path) == Self.files)
    #expect(try indexed(path) == Self.files)
  }

  @Test(arguments: [("-z", "gz"), ("-j", "bz2"), ("-J", "xz"), ("--zstd", "zst")])
  func compressedTarsAreReadInOrderOnly(_ option: String, _ name: String) throws {
    let path: String
    do {
      path = try packed(option)
    } catch {
      // The compressor isn't there.
      return
    }
    #expect(try contents(of: path) == Self.files)
    #expect(throws: TarError.compressed(path: path)) { try TarReader.index(of: path) }
  }

  @Test func linksFoldersAndDotsArePassedOver() throws {
    var tar = TarWriter()
    tar.add("a", kind: .folder)
    tar.add("./a/./x", Array("1".utf8))
    tar.add("a/link", kind: .symbolicLink, target: "../../etc/passwd")
    tar.add("a/hard", kind: .hardLink, target: "a/x")
    tar.add("a/y", Array(repeating: 0x32, count: 512))
    let path = try write(tar.finished)
    let expected = ["a/x": "1", "a/y": String(repeating: "2", count: 512)]
    #expect(try contents(of: path) == expected)
    #expect(try indexed(path) == expected)
  }

  @Test func tarsThatWereJoinedAreOne() throws {
    var first = TarWriter()
    first.add("x", Array("1".utf8))
    var second = TarWriter()
    second.add("y", Array(repeating: 0x32, count: 700))
    // GNU tar fills up to 10 KiB behind the end mark.
    let path = try write(
      first.finished + [UInt8](repeating: 0, count: 10240 - first.finished.count)
        + second.finished)
    let expected = ["x": "1", "y": String(repeating: "2", count: 700)]
    #expect(try contents(of: path) == expected)
    #expect(try indexed(path) == expected)
  }

  @Test func ofACutOffTarWhatIsWholeIsFound() throws {
    var tar = TarWriter()
    tar.add("x", [UInt8](repeating: 1, count: 700))
    tar.add("y", [UInt8](repeating: 2, count: 512))
    for (count, names) in [(700, []), (1536, ["x"]), (2500, ["x"]), (2560, ["x", "y"])] {
      let path = try write(Array(tar.finished.prefix(count)))
      let (members, problem) = TarReader.wholeMembers(of: path)
      #expect(members.map(\.member.name) == names, "\(count) bytes")
      #expect(problem == .cutOff(path: path, wholeCount: names.count), "\(count) bytes")
    }
  }

  @Test(arguments: ["/etc/x", "../x", "a/../../x", "a/.."])
  func namesThatLeadOutAreRefused(_ name: String) throws {
    var tar = TarWriter()
    tar.add(name, [1])
    let path = try write(tar.finished)
    #expect(throws: TarError.unsafeName(path: path, member: name)) { try contents(of: path) }
    #expect(throws: TarError.unsafeName(path: path, member: name)) { try indexed(path) }
  }

  @Test func everyPrefixIsRefusedAndTellsHowManyAreWhole() throws {
    var tar = TarWriter()
    tar.add("x", [UInt8](repeating: 1, count: 700))
    tar.add("y", [UInt8](repeating: 2, count: 512))
    let ends = [0, 1536, 2560]
    #expect(tar.bytes.count == 2560)
    for count in Array(stride(from: 1, to: 2560, by: 97)) + [511, 512, 513, 1535, 1536, 1537, 2560]
    {
      let path = try write(Array(tar.finished.prefix(count)))
      let whole = ends.lastIndex { $0 <= count } ?? 0
      for read in [contents(of:limits:), { path, _ in try indexed(path) }] {
        #expect {
          try read(path, .init())
        } throws: { error in
          switch error as? TarError {
          case .cutOff(_, let found): found == whole
          // Of less than a header nobody can tell that it was to be a tar.
          case .unreadable: count < 512
          default: false
          }
        }
      }
    }
    #expect(try contents(of: try write(Array(tar.finished.prefix(2560 + 512)))).count == 2)
  }

  @Test func aSizeBeyondTheLimitTakesNoMemory() throws {
    var tar = TarWriter()
    tar.add("x", [1], byteCount: 0o77_777_777_777)
    let path = try write(tar.finished)
    #expect(
      throws: TarError.tooLarge(
        path: path, member: "x", byteCount: 0o77_777_777_777, limit: 1 << 30)
    ) { try contents(of: path) }
  }

  @Test func moreMembersThanTheLimitAreRefused() throws {
    var tar = TarWriter()
    for number in 0..<4 { tar.add("\(number)") }
    let path = try write(tar.finished)
    #expect(try contents(of: path, limits: .init(memberCount: 4)).count == 4)
    #expect(throws: TarError.tooMany(path: path, limit: 3)) {
      try contents(of: path, limits: .init(memberCount: 3))
    }
  }

  @Test func whatIsNoTarIsRefused() throws {
    let path = try write(Array(repeating: 0x61, count: 4096))
    #expect { try contents(of: path) } throws: { "\($0)".contains("cannot be read as a tar") }
    #expect { try indexed(folder("nosuch.tar")) } throws: { "\($0)".contains("nosuch.tar") }
    var tar = TarWriter()
    tar.add("x", [1])
    var bytes = tar.finished
    bytes[3] ^= 1
    let damaged = try write(bytes)
    #expect(throws: TarError.self) { try contents(of: damaged) }
  }
}
