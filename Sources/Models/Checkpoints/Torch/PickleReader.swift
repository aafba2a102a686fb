package import Tensors

/// Reads the data of a Python pickle without ever doing what the pickle says.
///
/// A pickle is a program for a small stack machine, which can call any function. This one knows
/// the instructions that plain data needs, and a fixed list of names (``PickleGlobal``) that stand
/// for descriptions of tensors: everything else is refused. What is read is bounded by
/// ``Limits``.
package struct PickleReader {
  /// How much a pickle may ask for.
  package struct Limits: Sendable {
    /// Containers in all.
    package var containerCount = 2_000_000
    /// Values in containers, on the stack or remembered.
    package var valueCount = 8_000_000

    package init() {}
  }

  /// The elements of tuples and lists; names and values of a dictionary in turn.
  package private(set) var containers: [[PickleValue]] = []
  /// The storages that were referred to, by their keys.
  package internal(set) var storages: [String: ScalarType] = [:]
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var storedCount = 0
  private let limits: Limits
  private let source: String
  private let bytes: [UInt8]
  private var position: Int

  /// A reader of the pickles in `bytes`; `source` is what messages call them.
  package init(_ bytes: [UInt8], source: String, limits: Limits = Limits()) {
    self.bytes = bytes
    self.source = source
    self.limits = limits
    position = 0
  }

  /// The offset behind the last pickle read.
  package var offset: Int { position }

  /// Reads one pickle.
  ///
  /// - Throws: ``TorchArchiveError`` where it isn't one, holds what weights don't need, or exceeds
  ///   a limit.
  package mutating func readPickle() throws(TorchArchiveError) -> PickleValue {
    stack = []
    marks = []
    memo = [:]
    while true {
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") { return try pop() }
      if try scalar(opcode) { continue }
      if try structure(opcode) { continue }
      if try memory(opcode) { continue }
      guard try reference(opcode) else {
        throw failure("instruction 0x\(String(opcode, radix: 16)) isn't one that weights need")
      }
    }
  }

  func failure(_ reason: String) -> TorchArchiveError {
    TorchArchiveError(source: source, problem: .pickle(reason: reason, offset: position))
  }

  /// Instructions that push a number, a string or another single value.
  private mutating func scalar(_ opcode: UInt8) throws(TorchArchiveError) -> Bool {
    switch opcode {
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.boolean(true))
    case 0x89: try push(.boolean(false))
    case UInt8(ascii: "K"): try push(.integer(try count(1)))
    case UInt8(ascii: "M"): try push(.integer(try count(2)))
    case UInt8(ascii: "J"):
      try push(.integer(Int(Int32(truncatingIfNeeded: try count(4)))))
    case 0x8A: try push(Self.integer(try take(try count(1))))
    case UInt8(ascii: "G"):
      let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      try push(.number(Double(bitPattern: bits)))
    case UInt8(ascii: "X"): try push(.string(try string(try count(4))))
    case 0x8C: try push(.string(try string(try count(1))))
    case 0x8D: try push(.string(try string(try count(8))))
    case UInt8(ascii: "T"): try push(.string(try string(try count(4))))
    case UInt8(ascii: "U"): try push(.string(try string(try count(1))))
    case UInt8(ascii: "B"): try push(.bytes(Array(try take(try count(4)))))
    case UInt8(ascii: "C"): try push(.bytes(Array(try take(try count(1)))))
    default: return false
    }
    return true
  }

  /// Instructions that build containers.
  private mutating func structure(_ opcode: UInt8) throws(TorchArchiveError) -> Bool {
    switch opcode {
    case UInt8(ascii: "("):
      try store(1)
      marks.append(stack.count)
    case UInt8(ascii: "}"): try push(.dictionary(try container([])))
    case UInt8(ascii: "]"): try push(.list(try container([])))
    case UInt8(ascii: ")"): try push(.tuple(try container([])))
    case UInt8(ascii: "t"): try push(.tuple(try container(try popToMark())))
    case UInt8(ascii: "l"): try push(.list(try container(try popToMark())))
    case UInt8(ascii: "d"):
      let elements = try popToMark()
      guard elements.count % 2 == 0 else { throw failure("a name without a value") }
      try push(.dictionary(try container(elements)))
    case 0x85...0x87:
      let elements = try pop(count: Int(opcode) - 0x84)
      try push(.tuple(try container(elements)))
    case UInt8(ascii: "a"): try append([try pop()])
    case UInt8(ascii: "e"): try append(try popToMark())
    case UInt8(ascii: "s"): try setItems(try pop(count: 2))
    case UInt8(ascii: "u"): try setItems(try popToMark())
    default: return false
    }
    return true
  }

  /// Instructions about the machine itself.
  private mutating func memory(_ opcode: UInt8) throws(TorchArchiveError) -> Bool {
    switch opcode {
    case 0x80:
      let version = try byte()
      guard (2...5).contains(version) else { throw failure("protocol \(version)") }
    case 0x95: _ = try take(8)
    case UInt8(ascii: "q"): try remember(try count(1))
    case UInt8(ascii: "r"): try remember(try count(4))
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "h"): try recall(try count(1))
    case UInt8(ascii: "j"): try recall(try count(4))
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): try push(try top())
    default: return false
    }
    return true
  }

  /// Instructions that name something of Python's.
  private mutating func reference(_ opcode: UInt8) throws(TorchArchiveError) -> Bool {
    switch opcode {
    case UInt8(ascii: "c"):
      let module = try line()
      try push(.global(try global(module: module, name: try line())))
    case 0x93:
      let names = try pop(count: 2)
      guard let module = names[0].string, let name = names[1].string else {
        throw failure("a global whose name isn't a string")
      }
      try push(.global(try global(module: module, name: name)))
    case UInt8(ascii: "R"), 0x81:
      let operands = try pop(count: 2)
      guard case .tuple(let row) = operands[1] else { throw failure("arguments aren't a tuple") }
      try push(try meaning(of: operands[0], with: containers[row]))
    case UInt8(ascii: "b"):
      // Attributes of a dictionary, such as a state_dict's `_metadata`: not needed.
      _ = try pop()
      guard case .dictionary = try top() else { throw failure("attributes of something else") }
    case UInt8(ascii: "Q"): try push(.storage(try storage(try pop())))
    default: return false
    }
    return true
  }

  private func global(module: String, name: String) throws(TorchArchiveError) -> PickleGlobal {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw TorchArchiveError(
        source: source, problem: .forbiddenGlobal(module: module, name: name))
    }
    return global
  }
}

// The stack, the memo and the containers.
extension PickleReader {
  /// Counts what is kept, so that a short pickle can't fill the memory.
  private mutating func store(_ count: Int) throws(TorchArchiveError) {
    storedCount += count
    guard storedCount <= limits.valueCount else {
      throw TorchArchiveError(
        source: source, problem: .limit(what: "the pickle's values", limit: limits.valueCount))
    }
  }

  private mutating func push(_ value: PickleValue) throws(TorchArchiveError) {
    try store(1)
    stack.append(value)
  }

  private func top() throws(TorchArchiveError) -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else {
      throw failure("a value is missing")
    }
    return value
  }

  private mutating func pop() throws(TorchArchiveError) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(count: Int) throws(TorchArchiveError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw failure("values are missing") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(TorchArchiveError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw failure("a mark is missing") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  mutating func container(_ elements: [PickleValue]) throws(TorchArchiveError) -> Int {
    guard containers.count < limits.containerCount else {
      throw TorchArchiveError(
        source: source,
        problem: .limit(what: "the pickle's containers", limit: limits.containerCount))
    }
    try store(elements.count)
    containers.append(elements)
    return containers.count - 1
  }

  private mutating func append(_ elements: [PickleValue]) throws(TorchArchiveError) {
    guard case .list(let row) = try top() else { throw failure("elements of something else") }
    try store(elements.count)
    containers[row].append(contentsOf: elements)
  }

  private mutating func setItems(_ elements: [PickleValue]) throws(TorchArchiveError) {
    guard case .dictionary(let row) = try top(), elements.count % 2 == 0 else {
      throw failure("items of something else, or a name without a value")
    }
    try store(elements.count)
    containers[row].append(contentsOf: elements)
  }

  private mutating func remember(_ key: Int) throws(TorchArchiveError) {
    try store(1)
    memo[key] = try top()
  }

  private mutating func recall(_ key: Int) throws(TorchArchiveError) {
    guard let value = memo[key] else { throw failure("nothing is remembered as \(key)") }
    try push(value)
  }
}

// The bytes.
extension PickleReader {
  private mutating func byte() throws(TorchArchiveError) -> UInt8 {
    guard position < bytes.count else { throw failure("it ends too early") }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func take(_ count: Int) throws(TorchArchiveError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else { throw failure("it ends too early") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// A number without sign in `width` bytes, little-endian.
  private mutating func count(_ width: Int) throws(TorchArchiveError) -> Int {
    let value = try take(width).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let count = Int(exactly: value) else { throw failure("a count out of range") }
    return count
  }

  private mutating func string(_ count: Int) throws(TorchArchiveError) -> String {
    guard let string = String(validating: try take(count), as: UTF8.self) else {
      throw failure("a string that isn't UTF-8")
    }
    return string
  }

  private mutating func line() throws(TorchArchiveError) -> String {
    guard let end = bytes[position...].prefix(1024).firstIndex(of: 0x0A) else {
      throw failure("a name without an end")
    }
    let line = try string(end - position)
    position += 1
    return line
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> PickleValue {
    guard bytes.count <= 8 else { return .bigInteger(Array(bytes)) }
    let isNegative = (bytes.last ?? 0) >= 0x80
    return .integer(bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
  }
}
