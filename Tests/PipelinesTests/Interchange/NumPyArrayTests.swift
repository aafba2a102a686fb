import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct NumPyArrayTests {
  private func array(_ header: String, _ byteCount: Int = 16, version: UInt8 = 1) -> [UInt8] {
    let text = Array((header + "\n").utf8)
    let length = (0..<(version == 1 ? 2 : 4)).map {
      UInt8(truncatingIfNeeded: text.count >> (8 * $0))
    }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text
      + [UInt8](repeating: 0, count: byteCount)
  }

  private func reason(_ bytes: [UInt8]) -> String? {
    do {
      _ = try NumPyArray(decoding: bytes)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func arraysComeBack() throws {
    let tensor = sampleTensor([2, 3, 4])
    let bytes = NumPyArray.encoded(tensor, shape: [2, 3, 4])
    let array = try NumPyArray(decoding: bytes)
    #expect(array.shape == [2, 3, 4])
    #expect(try array.tensor().scalars == tensor.scalars)
    // The numbers lie as NumPy aligns them.
    #expect((bytes.count - 96) % 64 == 0)
    #expect(try NumPyArray(decoding: NumPyArray.encoded([-5, 1 << 40])).integers == [-5, 1 << 40])
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }",
    "{\"shape\":(2,2),\"descr\":\"<f4\",\"fortran_order\":False}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4, 1)}      ",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (16,), }",
  ])
  func headersThatPythonWritesAreRead(_ header: String) {
    #expect(reason(array(header)) == nil)
    #expect(reason(array(header, version: 2)) == nil)
  }

  @Test(arguments: [
    ("{'descr': '<f4', 'fortran_order': True, 'shape': (4,), }", "Fortran"),
    ("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "|O"),
    ("{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }", ">f4"),
    ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", "string is expected"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }", "doesn't fit"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "doesn't fit"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4), }", "no tuple"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }", "lengths"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 8), }", "fit"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "lengths"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,4), }", "axes"),
    ("{'descr': '<f4', 'descr': '<f4', 'shape': (4,), }", "twice"),
    ("{'descr': '<f4', 'shape': (4,), }", "three keys"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'x': 1}", "unknown key"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), } + __import__('os')", "or more"),
    ("{'descr': '<f\\x34', 'fortran_order': False, 'shape': (4,), }", "plain text"),
    ("", "{ is expected"),
  ])
  func otherHeadersAreRefused(_ header: String, _ expected: String) {
    #expect(reason(array(header))?.contains(expected) == true, "\(reason(array(header)) ?? "")")
  }

  @Test func everyBeginningIsRefused() {
    let bytes = NumPyArray.encoded(sampleTensor([2, 2]), shape: [2, 2])
    for length in 0..<bytes.count { #expect(reason(Array(bytes[..<length])) != nil) }
    let zip = ZipArchive.packed([("a.npy", bytes), ("b", [1, 2, 3])])
    for length in 0..<zip.count {
      let members = (try? ZipArchive(decoding: Array(zip[..<length])))?.members
      #expect(members == nil || members?.isEmpty == true)
    }
  }

  @Test func zipsComeBackAndAreBounded() throws {
    let zip = ZipArchive.packed([("a.npy", [1, 2, 3]), ("size", []), ("c", [9])])
    let members = try ZipArchive(decoding: zip).members
    #expect(members.map(\.name) == ["a.npy", "size", "c"])
    #expect(members.map(\.bytes) == [[1, 2, 3], [], [9]])
    #expect(throws: InterchangeError.self) { try ZipArchive(decoding: zip, limit: 3) }
    #expect(throws: InterchangeError.self) {
      try ZipArchive(decoding: ZipArchive.packed([("a", [1]), ("a", [2])]))
    }
    var damaged = zip
    damaged[35] ^= 1
    #expect(throws: InterchangeError.self) { try ZipArchive(decoding: damaged) }
  }

  @Test func aSizeThatAMemberDoesNotHaveTakesNoMemory() throws {
    var zip = ZipArchive.packed([("a.npy", [1, 2, 3])])
    let directory = zip.count - 22 - 46 - "a.npy".utf8.count
    // Compressed or not, almost 4 GiB, by the member's header and by the directory.
    for place in [18, 22, directory + 20, directory + 24] {
      zip.replaceSubrange(place..<place + 4, with: [0, 0, 0xFF, 0xFF])
    }
    let before = try #require(PeakMemory.byteCount)
    #expect(throws: InterchangeError.self) { try ZipArchive(decoding: zip, limit: 1 << 40) }
    #expect(try #require(PeakMemory.byteCount) - before < 1 << 31)
  }
}

extension ZipArchive {
  fileprivate static func packed(_ members: [(String, [UInt8])]) -> [UInt8] {
    var archive = ZipArchive()
    for (name, bytes) in members { archive.add(name, bytes) }
    return archive.encoded
  }
}
