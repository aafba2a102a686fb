import Models
import Tensors

/// Bytes of a pickle, an instruction at a time.
enum Pickle {
  static func number(_ value: Int, width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  static func text(_ string: String) -> [UInt8] { Array(string.utf8) }
  static func string(_ string: String) -> [UInt8] {
    text("X") + number(string.utf8.count, width: 4) + text(string)
  }
  static func integer(_ value: Int) -> [UInt8] { text("J") + number(value, width: 4) }
  static func global(_ module: String, _ name: String) -> [UInt8] { text("c\(module)\n\(name)\n") }
  static func tuple(_ elements: [UInt8]...) -> [UInt8] {
    text("(") + elements.flatMap { $0 } + text("t")
  }
  static func integers(_ values: [Int]) -> [UInt8] {
    text("(") + values.flatMap(integer) + text("t")
  }
  static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    text("}(") + items.flatMap { string($0.0) + $0.1 } + text("u")
  }
  static func whole(_ value: [UInt8]) -> [UInt8] { [0x80, 2] + value + text(".") }

  /// A view of a storage; `view` is an older file's part of a storage.
  static func tensor(
    _ key: String, type: String = "FloatStorage", count: Int, offset: Int = 0, shape: [Int],
    strides: [Int], view: [UInt8] = []
  ) -> [UInt8] {
    let storage =
      tuple(
        string("storage"), global("torch", type), string(key), string("cpu"), integer(count), view)
      + text("Q")
    let hooks = global("collections", "OrderedDict") + text(")R")
    return global("torch._utils", "_rebuild_tensor_v2")
      + tuple(storage, integer(offset), integers(shape), integers(strides), [0x89], hooks)
      + text("R")
  }
}

/// A zip archive of stored members; with zip64's fields and records if it `isLarge`.
func zipArchive(_ members: [(String, [UInt8])], isLarge: Bool = false) -> [UInt8] {
  var (file, directory): ([UInt8], [UInt8]) = ([], [])
  for (name, bytes) in members {
    let start = file.count
    let facts =
      Pickle.number(0, width: 8) + Pickle.number(Int(CRC32.checksum(bytes.span)), width: 4)
      + Pickle.number(bytes.count, width: 4) + Pickle.number(bytes.count, width: 4)
      + Pickle.number(name.utf8.count, width: 2) + [0, 0]
    file += [0x50, 0x4B, 3, 4, 20, 0] + facts + Array(name.utf8) + bytes
    guard isLarge else {
      directory += [0x50, 0x4B, 1, 2, 20, 0, 20, 0] + facts + [UInt8](repeating: 0, count: 10)
      directory += Pickle.number(start, width: 4) + Array(name.utf8)
      continue
    }
    directory += [0x50, 0x4B, 1, 2, 45, 0, 45, 0] + facts[..<12]
    directory += [UInt8](repeating: 0xFF, count: 8) + facts[20..<22] + [34, 0]
    directory += [UInt8](repeating: 0, count: 10) + [UInt8](repeating: 0xFF, count: 4)
    // An unknown field, then that of zip64.
    directory += Array(name.utf8) + [0x46, 0x42, 2, 0, 9, 9] + [1, 0, 24, 0]
    directory += Pickle.number(bytes.count, width: 8) + Pickle.number(bytes.count, width: 8)
    directory += Pickle.number(start, width: 8)
  }
  return file + directory
    + zipEnd(count: members.count, size: directory.count, start: file.count, isLarge: isLarge)
}

/// The records that say where the directory of an archive is.
private func zipEnd(count: Int, size: Int, start: Int, isLarge: Bool) -> [UInt8] {
  guard isLarge else {
    return [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + Pickle.number(count, width: 2)
      + Pickle.number(count, width: 2) + Pickle.number(size, width: 4)
      + Pickle.number(start, width: 4) + [0, 0]
  }
  var end: [UInt8] = [0x50, 0x4B, 6, 6] + Pickle.number(44, width: 8) + [45, 0, 45, 0]
  end += [UInt8](repeating: 0, count: 8)
  for value in [count, count, size, start] { end += Pickle.number(value, width: 8) }
  end += [0x50, 0x4B, 6, 7, 0, 0, 0, 0] + Pickle.number(start + size, width: 8) + [1, 0, 0, 0]
  return end + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 12) + [0, 0]
}

/// Little-endian float32.
func floatBytes(_ values: [Float]) -> [UInt8] {
  values.flatMap { Pickle.number(Int($0.bitPattern), width: 4) }
}

/// A file of torch.save with the pickle `value` and one storage, "0".
func torchZip(_ value: [UInt8], storage: [Float], isLarge: Bool = false) -> [UInt8] {
  zipArchive(
    [
      ("m/data.pkl", Pickle.whole(value)), ("m/byteorder", Array("little".utf8)),
      ("m/data/0", floatBytes(storage)),
    ], isLarge: isLarge)
}

/// Tensors of which only the shapes are known.
struct ShapesOnly: TensorFile {
  let shapes: [String: Shape]
  var source: String { "shapes" }
  var tensorEntries: [Checkpoint.Entry] {
    shapes.map { Checkpoint.Entry(name: $0, shape: $1, scalarType: .float32) }
  }
  func readTensor(named name: String) throws(CheckpointError) -> Tensor {
    Tensor(repeating: 1, shape: shapes[name] ?? [])
  }
}
