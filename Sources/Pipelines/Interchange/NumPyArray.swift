package import Tensors

/// An array in NumPy's `.npy` format, versions 1 to 3 (NEP 1): a magic string, a header that is a
/// literal of Python, and the numbers.
///
/// The header is parsed strictly: three keys, each once, and nothing that Python would have to
/// evaluate. Objects are refused, as they are pickles.
package struct NumPyArray: Sendable {
  /// The lengths of the axes, slowest first.
  package let shape: [Int]
  private let scalarType: ScalarType
  private let bytes: [UInt8]

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let format = ".npy"
  /// NumPy itself refuses longer ones.
  private static let longestHeader = 10_000
  private static let mostAxes = 8

  /// Reads an array.
  ///
  /// - Throws: ``InterchangeError``.
  package init(decoding bytes: [UInt8]) throws(InterchangeError) {
    guard bytes.starts(with: Self.magic), bytes.count >= 10 else {
      throw Self.damaged("it doesn't begin as one")
    }
    let version = bytes[6]
    guard (1...3).contains(version), bytes[7] == 0 else {
      throw .unsupported(format: Self.format, reason: "it is of version \(version).\(bytes[7])")
    }
    let start = version == 1 ? 10 : 12
    guard bytes.count >= start else { throw Self.damaged("its header is cut off") }
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= Self.longestHeader, bytes.count - start >= length else {
      throw Self.damaged("its header is cut off, or too long")
    }
    var header = Header(Array(bytes[start..<start + length]))
    try header.parse()
    (shape, scalarType) = (header.shape, header.scalarType)
    let (count, overflow) = Self.count(of: shape, byteCount: scalarType.byteCount)
    guard !overflow, count == bytes.count - start - length else {
      throw Self.damaged(
        "its shape \(shape) doesn't fit its \(bytes.count - start - length) bytes of numbers")
    }
    self.bytes = Array(bytes[(start + length)...])
  }

  fileprivate static func damaged(_ reason: String) -> InterchangeError {
    .damaged(format: format, reason: reason)
  }

  private static func count(of shape: [Int], byteCount: Int) -> (Int, overflow: Bool) {
    var total = (byteCount, overflow: false)
    for length in shape {
      let (value, overflow) = total.0.multipliedReportingOverflow(by: length)
      total = (value, total.overflow || overflow)
    }
    return total
  }

  // MARK: Numbers

  /// The numbers as float32, in the array's shape.
  ///
  /// - Throws: ``InterchangeError``.
  package func tensor() throws(InterchangeError) -> Tensor {
    do {
      return try ByteSource(bytes).tensor(of: scalarType, shape: Shape(shape), at: 0)
    } catch {
      throw Self.damaged(error.reason)
    }
  }

  /// The numbers, if they are integers; those of floating-point types too, where they are whole.
  package var integers: [Int]? {
    if let integers = scalarType.integers(bytes) { return integers }
    guard let values = try? tensor().scalars else { return nil }
    let integers = values.compactMap { Int(exactly: $0) }
    return integers.count == values.count ? integers : nil
  }

  // MARK: Writing

  /// The bytes of an array of float32.
  package static func encoded(_ tensor: Tensor, shape: [Int]) -> [UInt8] {
    header("<f4", shape) + tensor.bytes(as: .float32)
  }

  /// The bytes of a row of 64-bit integers.
  package static func encoded(_ integers: [Int]) -> [UInt8] {
    header("<i8", [integers.count])
      + integers.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  }

  /// As NumPy writes it: the numbers begin at a multiple of 64 bytes.
  private static func header(_ type: String, _ shape: [Int]) -> [UInt8] {
    let lengths = shape.map { "\($0)," }.joined(separator: " ")
    let tuple = shape.count == 1 ? lengths : String(lengths.dropLast())
    let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(tuple)), }"
    let padding = (64 - (10 + text.utf8.count + 1) % 64) % 64
    let length = text.utf8.count + padding + 1
    return magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
      + Array((text + String(repeating: " ", count: padding) + "\n").utf8)
  }

  // MARK: The header

  /// What stands between the magic string and the numbers.
  ///
  /// `{'descr': '<f4', 'fortran_order': False, 'shape': (4, 64, 64), }`
  private struct Header {
    private let text: [UInt8]
    private var position = 0
    var shape: [Int] = []
    var scalarType = ScalarType.float32
    private var keys: Set<String> = []

    init(_ text: [UInt8]) { self.text = text }

    mutating func parse() throws(InterchangeError) {
      try expect("{")
      while !take("}") {
        let key = try string()
        guard keys.insert(key).inserted else { throw damaged("the key \(key) stands there twice") }
        try expect(":")
        try value(of: key)
        if !take(",") {
          try expect("}")
          break
        }
      }
      skipSpaces()
      guard position == text.count, keys.count == 3 else {
        throw damaged("it has not the three keys descr, fortran_order and shape, or more")
      }
    }

    private mutating func value(of key: String) throws(InterchangeError) {
      switch key {
      case "descr":
        let name = try string()
        guard let type = Self.types[name] else {
          throw .unsupported(
            format: NumPyArray.format,
            reason: "its numbers are of the type \(name); save them as float32")
        }
        scalarType = type
      case "fortran_order":
        if take("True") {
          throw .unsupported(
            format: NumPyArray.format,
            reason: "it is in Fortran's order; save numpy.ascontiguousarray(…)")
        }
        try expect("False")
      case "shape": shape = try tuple()
      default: throw damaged("it has the unknown key \(key)")
      }
    }

    private static let types: [String: ScalarType] = [
      "<f2": .float16, "<f4": .float32, "<f8": .float64, "|u1": .uint8, "|i1": .int8,
      "<u2": .uint16, "<i2": .int16, "<u4": .uint32, "<i4": .int32, "<u8": .uint64, "<i8": .int64,
      "|b1": .boolean,
    ]

    private mutating func tuple() throws(InterchangeError) -> [Int] {
      try expect("(")
      var lengths: [Int] = []
      while !take(")") {
        lengths.append(try number())
        guard lengths.count <= NumPyArray.mostAxes else { throw damaged("it has too many axes") }
        if !take(",") {
          // Python reads (4) as a number.
          guard lengths.count > 1 else { throw damaged("its shape is no tuple") }
          try expect(")")
          break
        }
      }
      return lengths
    }

    private mutating func number() throws(InterchangeError) -> Int {
      skipSpaces()
      let digits = text[position...].prefix { (0x30...0x39).contains($0) }
      position += digits.count
      guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
        throw damaged("its shape holds something else than lengths")
      }
      return value
    }

    private mutating func string() throws(InterchangeError) -> String {
      skipSpaces()
      guard position < text.count, [0x27, 0x22].contains(text[position]) else {
        throw damaged("a string is expected at byte \(position) of its header")
      }
      let quote = text[position]
      let body = text[(position + 1)...].prefix { $0 != quote && $0 != 0x5C }
      let end = position + 1 + body.count
      guard end < text.count, text[end] == quote, body.allSatisfy({ (0x20..<0x7F).contains($0) })
      else { throw damaged("a string of its header isn't plain text") }
      position = end + 1
      return String(decoding: body, as: UTF8.self)
    }

    private mutating func expect(_ word: String) throws(InterchangeError) {
      guard take(word) else {
        throw damaged("\(word) is expected at byte \(position) of its header")
      }
    }

    private mutating func take(_ word: String) -> Bool {
      skipSpaces()
      guard text[position...].starts(with: word.utf8) else { return false }
      position += word.utf8.count
      return true
    }

    private mutating func skipSpaces() {
      while position < text.count, [0x20, 0x0A, 0x09, 0x0D].contains(text[position]) {
        position += 1
      }
    }

    private func damaged(_ reason: String) -> InterchangeError { NumPyArray.damaged(reason) }
  }
}
