import Foundation
import Models
import Tensors
import TestSupport
import Testing

struct CheckpointTests {
  private func write(_ tensors: [(String, Tensor)], to url: URL) throws {
    try Data(Safetensors.encoded(tensors: tensors.map { (name: $0.0, tensor: $0.1) })).write(
      to: url)
  }

  private func writeIndex(_ places: [String: String], in folder: URL) throws -> URL {
    let url = folder.appending(path: "model.safetensors.index.json")
    let map = places.map { "\($0.key.quotedAsJSON):\($0.value.quotedAsJSON)" }.joined(
      separator: ",")
    try Data("{\"metadata\":{\"total_size\":8},\"weight_map\":{\(map)}}".utf8).write(to: url)
    return url
  }

  @Test func shardsAreReadAsOne() throws {
    try withTemporaryFolder { folder in
      try write([("a", Tensor([1], shape: [1]))], to: folder.appending(path: "1.safetensors"))
      try write([("b", Tensor([2], shape: [1]))], to: folder.appending(path: "2.safetensors"))
      let index = try writeIndex(["a": "1.safetensors", "b": "2.safetensors"], in: folder)
      let checkpoint = try Checkpoint(contentsOf: index)
      #expect(checkpoint.names == ["a", "b"])
      #expect(try checkpoint.tensor(named: "b").scalars == [2])
      #expect(throws: CheckpointError.self) { try checkpoint.tensor(named: "c") }
    }
  }

  @Test(arguments: ["../1.safetensors", "/etc/passwd", "", "..", "absent.safetensors"])
  func anIndexThatPointsElsewhereIsRefused(_ file: String) throws {
    try withTemporaryFolder { folder in
      let index = try writeIndex(["a": file], in: folder)
      #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: index) }
    }
  }

  @Test func aNameThatItsShardDoesNotHaveIsRefused() throws {
    try withTemporaryFolder { folder in
      try write([("a", Tensor([1], shape: [1]))], to: folder.appending(path: "1.safetensors"))
      let index = try writeIndex(["b": "1.safetensors"], in: folder)
      #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: index) }
    }
  }

  @Test func theFormatIsToldByTheFirstBytes() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "model.bin")
      try write([("a", Tensor([1], shape: [1]))], to: url)
      #expect(try Checkpoint(contentsOf: url).names == ["a"])
      let torch = folder.appending(path: "weights")
      let tensor = Pickle.tensor("0", count: 1, shape: [1], strides: [1])
      try Data(torchZip(Pickle.dictionary([("w", tensor)]), storage: [4])).write(to: torch)
      let checkpoint = try Checkpoint(contentsOf: torch)
      #expect(checkpoint.source.hasSuffix("/weights"))
      #expect(checkpoint.entry(named: "w")?.scalarType == .float32)
      #expect(try checkpoint.tensor(named: "w").scalars == [4])
      try Data("hello".utf8).write(to: torch)
      #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: torch) }
    }
  }

  @Test func twoTensorsCannotGetOneName() {
    let checkpoint = Checkpoint(ShapesOnly(shapes: ["a": [1], "b": [1]]))
    #expect(throws: CheckpointError.duplicateName("c", source: "shapes")) {
      try checkpoint.renamed { _ in "c" }
    }
    #expect(throws: CheckpointError.self) {
      try Checkpoint(merging: [checkpoint, checkpoint], source: "both")
    }
  }
}
