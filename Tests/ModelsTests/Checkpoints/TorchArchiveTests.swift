import Foundation
import Models
import Tensors
import TestSupport
import Testing

struct TorchArchiveTests {
  private let values: [Float] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

  private func archive(_ bytes: [UInt8]) throws(TorchArchiveError) -> TorchArchive {
    try TorchArchive(ByteSource(bytes))
  }

  private func small(isLarge: Bool = false) -> [UInt8] {
    torchZip(
      Pickle.dictionary([
        ("a.weight", Pickle.tensor("0", count: 12, shape: [3, 4], strides: [4, 1])),
        ("a.turned", Pickle.tensor("0", count: 12, offset: 1, shape: [4, 2], strides: [1, 4])),
        ("a.repeated", Pickle.tensor("0", count: 12, offset: 5, shape: [2, 2], strides: [0, 3])),
        ("scalar", Pickle.tensor("0", count: 12, offset: 7, shape: [], strides: [])),
        ("empty", Pickle.tensor("0", count: 12, shape: [0, 4], strides: [4, 1])),
        ("epoch", Pickle.integer(3)),
      ]), storage: values, isLarge: isLarge)
  }

  @Test(arguments: [false, true])
  func viewsOfAStorageAreMadeWhole(_ isLarge: Bool) throws {
    let archive = try archive(small(isLarge: isLarge))
    #expect(try archive.tensor(named: "a.weight").scalars == values)
    #expect(try archive.tensor(named: "a.weight").shape == [3, 4])
    #expect(throws: TorchArchiveError.self) { try archive.tensor(named: "a.other") }
    #expect(throws: TorchArchiveError.self) { try archive.tensor(named: "a.turned.0") }
    #expect(try archive.tensor(named: "a.turned").scalars == [1, 5, 2, 6, 3, 7, 4, 8])
    #expect(try archive.tensor(named: "a.repeated").scalars == [5, 8, 5, 8])
    #expect(try archive.tensor(named: "scalar").scalars == [7])
    #expect(try archive.tensor(named: "empty").shape == [0, 4])
    #expect(archive.tensors["epoch"] == nil)
  }

  @Test func aTransposedViewIsReadInItsOrder() throws {
    let archive = try archive(
      torchZip(
        Pickle.dictionary([
          ("t", Pickle.tensor("0", count: 12, shape: [4, 3], strides: [1, 4]))
        ]), storage: values))
    #expect(try archive.tensor(named: "t").scalars == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
  }

  @Test func aStateDictionaryWithinATrainingCheckpointIsMeant() throws {
    let tensor = Pickle.tensor("0", count: 12, shape: [12], strides: [1])
    let archive = try archive(
      torchZip(
        Pickle.dictionary([
          ("state_dict", Pickle.dictionary([("w", tensor)])),
          ("optimizer", Pickle.dictionary([("m", tensor)])),
        ]), storage: values))
    #expect(archive.tensors.keys.sorted() == ["w"])
    let nested = try self.archive(
      torchZip(Pickle.dictionary([("model", Pickle.dictionary([("w", tensor)]))]), storage: values))
    #expect(nested.tensors.keys.sorted() == ["model.w"])
  }

  @Test(arguments: [false, true])
  func allPrefixesOfAZipAreRefused(_ isLarge: Bool) throws {
    let file = small(isLarge: isLarge)
    _ = try archive(file)
    for count in 0..<file.count {
      #expect(throws: TorchArchiveError.self) { try archive(Array(file[..<count])) }
    }
  }

  @Test(arguments: [false, true])
  func noChangedByteTrapsAndNoneChangesATensorUnseen(_ isLarge: Bool) throws {
    let file = small(isLarge: isLarge)
    for index in file.indices {
      for change: UInt8 in [1, 0x80, 0xFF] {
        var changed = file
        changed[index] ^= change
        guard let archive = try? archive(changed) else { continue }
        // Names of unused bytes, such as times, may change; scalars are covered by checksums.
        guard let tensor = try? archive.tensor(named: "a.weight") else { continue }
        #expect(tensor.scalars == values, "byte \(index)")
      }
    }
  }

  @Test(arguments: [
    ([12], [1], 1), ([13], [1], 0), ([2, 2], [11, 1], 0), ([-1], [1], 0), ([2], [-1], 4),
    ([3, 4], [4], 0), ([1 << 30, 1 << 30], [0, 0], 0), ([2, 2], [1 << 30, 1 << 30], 0),
    ([1 << 25], [0], 0), ([1], [1], -1), ([1], [1], 12),
  ])
  func aTensorThatItsStorageDoesNotHoldIsRefused(
    _ shape: [Int], _ strides: [Int], _ offset: Int
  ) {
    let pickle = Pickle.dictionary([
      ("w", Pickle.tensor("0", count: 12, offset: offset, shape: shape, strides: strides))
    ])
    #expect {
      try archive(torchZip(pickle, storage: values))
    } throws: { error in
      if case .tensor(name: "w", _)? = (error as? TorchArchiveError)?.problem {
        true
      } else {
        false
      }
    }
  }

  @Test func aStorageThatIsMissingOrTooShortIsRefused() {
    for (key, count) in [("1", 12), ("0", 13), ("../0", 1)] {
      let tensor = Pickle.tensor(key, count: count, shape: [1], strides: [1])
      #expect(throws: TorchArchiveError.self) {
        try archive(torchZip(Pickle.dictionary([("w", tensor)]), storage: values))
      }
    }
  }

  @Test func aFileWithoutTensorsIsRefused() {
    #expect(throws: TorchArchiveError(source: "bytes in memory", problem: .empty)) {
      try archive(torchZip(Pickle.dictionary([("a", Pickle.integer(1))]), storage: values))
    }
    #expect(throws: TorchArchiveError(source: "bytes in memory", problem: .unknownFormat)) {
      try archive(Array("hello, world".utf8))
    }
  }

  @Test func membersThatOverlapOrRepeatOrAreCompressedAreRefused() throws {
    let tensor = Pickle.tensor("0", count: 12, shape: [12], strides: [1])
    let pickle = ("m/data.pkl", Pickle.whole(Pickle.dictionary([("w", tensor)])))
    #expect(throws: TorchArchiveError.self) {
      try archive(zipArchive([pickle, ("m/data/0", floatBytes(values)), ("m/data/0", [])]))
    }
    #expect(throws: TorchArchiveError.self) {
      try archive(
        zipArchive([pickle, ("m/data/0", floatBytes(values)), ("m/byteorder", Array("big".utf8))]))
    }
    var file = zipArchive([pickle, ("m/data/0", floatBytes(values))])
    let directory = try #require(
      file.indices.first { file[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
    file[directory + 10] = 8
    #expect(throws: TorchArchiveError.self) { try archive(file) }
  }

  @Test func theOlderFormatIsReadAndItsPrefixesAreRefused() throws {
    let magic: [UInt8] = [0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let view = Pickle.tuple(Pickle.string("v"), Pickle.integer(2), Pickle.integer(8))
    let object = Pickle.dictionary([
      ("w", Pickle.tensor("k", count: 12, offset: 1, shape: [3], strides: [1], view: view)),
      ("v", Pickle.tensor("k", count: 12, shape: [2, 6], strides: [6, 1], view: [0x4E])),
    ])
    let file =
      Pickle.whole(magic) + Pickle.whole(Pickle.integer(1001))
      + Pickle.whole(Pickle.dictionary([("little_endian", [0x88])])) + Pickle.whole(object)
      + Pickle.whole(Pickle.text("]") + Pickle.string("k") + Pickle.text("a"))
      + Pickle.number(12, width: 8) + floatBytes(values)
    let archive = try archive(file)
    #expect(try archive.tensor(named: "w").scalars == [3, 4, 5])
    #expect(try archive.tensor(named: "v").scalars == values)
    for count in 0..<file.count {
      #expect(throws: TorchArchiveError.self) { try self.archive(Array(file[..<count])) }
    }
  }

  @Test(
    .enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"),
    arguments: ["VAE_celeba", "VAE_mnist"])
  func realFilesOfTheOlderFormatEqualTheirSafetensors(_ name: String) throws {
    let old = try Checkpoint(contentsOf: SharedFiles.url("models/disvae/\(name).pt"))
    let new = try Checkpoint(contentsOf: SharedFiles.url("models/disvae/\(name).safetensors"))
    try expectEqual(old, new)
  }
}

/// Expects the same names, types, shapes and bits.
func expectEqual(_ first: Checkpoint, _ second: Checkpoint) throws {
  #expect(first.entries == second.entries)
  for name in first.names {
    let (a, b) = (try first.tensor(named: name), try second.tensor(named: name))
    #expect(a.shape == b.shape)
    #expect(a.scalars.map(\.bitPattern) == b.scalars.map(\.bitPattern), "\(name)")
  }
}
