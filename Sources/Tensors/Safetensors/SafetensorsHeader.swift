/// The header of a safetensors file, checked.
struct SafetensorsHeader {
  var entries: [Safetensors.Entry] = []
  var metadata: [String: String] = [:]
  private let source: String

  /// The size of the number before the header.
  static let prefixByteCount = 8

  init(bytes: ByteSource, limits: Safetensors.Limits) throws(SafetensorsError) {
    source = bytes.name
    guard bytes.byteCount > Self.prefixByteCount else {
      throw error(.tooShort(byteCount: bytes.byteCount))
    }
    let prefix = try read(0..<Self.prefixByteCount, of: bytes)
    let claimed = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let available = bytes.byteCount - Self.prefixByteCount
    guard claimed <= UInt64(min(available, limits.headerByteCount)) else {
      throw error(
        .headerSize(claimed: claimed, available: available, limit: limits.headerByteCount))
    }
    let bodyStart = Self.prefixByteCount + Int(claimed)
    let text = try read(Self.prefixByteCount..<bodyStart, of: bytes)
    guard text.first == UInt8(ascii: "{") else {
      throw error(.header(JSONError(offset: 0, reason: "expected {")))
    }
    try readMembers(
      of: text, limits: limits, bodyStart: bodyStart, bodyByteCount: bytes.byteCount - bodyStart)
    try checkLayout(bodyStart: bodyStart, bodyByteCount: bytes.byteCount - bodyStart)
  }

  private func error(_ problem: SafetensorsError.Problem) -> SafetensorsError {
    SafetensorsError(source: source, problem: problem)
  }

  private func read(
    _ range: Range<Int>, of bytes: ByteSource
  ) throws(SafetensorsError) -> [UInt8] {
    do {
      return try bytes.bytes(in: range)
    } catch {
      throw self.error(.unreadable(error.reason))
    }
  }

  private mutating func readMembers(
    of text: [UInt8], limits: Safetensors.Limits, bodyStart: Int, bodyByteCount: Int
  ) throws(SafetensorsError) {
    let document: JSONValue
    do {
      document = try JSONParser.parse(
        text, depthLimit: 4, byteLimit: limits.headerByteCount)
    } catch {
      throw self.error(.header(error))
    }
    for member in try object(document, at: "the header").members {
      let name = member.key
      if name == "__metadata__" {
        for note in try object(member.value, at: name).members {
          guard case .string(let text) = note.value else {
            throw error(
              .field(path: "\(name).\(note.key)", expected: "a string", found: note.value.kind))
          }
          metadata[note.key] = text
        }
      } else {
        entries.append(
          try entry(named: name, member.value, bodyStart: bodyStart, bodyByteCount: bodyByteCount))
      }
    }
  }

  private func entry(
    named name: String, _ value: JSONValue, bodyStart: Int, bodyByteCount: Int
  ) throws(SafetensorsError) -> Safetensors.Entry {
    let object = try object(value, at: name)
    let known = ["dtype", "shape", "data_offsets"]
    guard object.members.count == known.count, known.allSatisfy({ object[$0] != nil }) else {
      throw error(
        .field(
          path: name, expected: "an object of dtype, shape and data_offsets",
          found: "one of \(object.members.map(\.key).sorted().joined(separator: ", "))"))
    }
    guard case .string(let typeName)? = object["dtype"] else {
      throw error(
        .field(
          path: "\(name).dtype", expected: "a string", found: object["dtype"]?.kind ?? "absent"))
    }
    guard let type = ScalarType(rawValue: typeName) else {
      throw error(.unknownScalarType(tensor: name, name: typeName))
    }
    let shape = try counts(object["shape"], at: "\(name).shape")
    let offsets = try counts(object["data_offsets"], at: "\(name).data_offsets")
    guard offsets.count == 2 else {
      throw error(
        .field(
          path: "\(name).data_offsets", expected: "two numbers", found: "\(offsets.count)"))
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end, end <= bodyByteCount else {
      throw error(.outside(tensor: name, begin: begin, end: end, bodyByteCount: bodyByteCount))
    }
    guard let scalarCount = shape.product, let byteCount = [scalarCount, type.byteCount].product
    else { throw error(.overflow(tensor: name, shape: shape)) }
    guard end - begin == byteCount else {
      throw error(.size(tensor: name, shape: shape, type: type, found: end - begin))
    }
    return Safetensors.Entry(
      name: name, scalarType: type, shape: Shape(shape), offset: bodyStart + begin)
  }

  /// Sorts the entries as they lie in the file, and refuses overlaps and holes.
  private mutating func checkLayout(
    bodyStart: Int, bodyByteCount: Int
  ) throws(SafetensorsError) {
    entries.sort { ($0.offset, $0.byteCount, $0.name) < ($1.offset, $1.byteCount, $1.name) }
    var position = bodyStart
    for entry in entries {
      guard entry.offset == position else {
        throw error(
          .layout(
            expectedBegin: position - bodyStart, foundBegin: entry.offset - bodyStart,
            tensor: entry.name))
      }
      position += entry.byteCount
    }
    guard position - bodyStart == bodyByteCount else {
      throw error(.trailingBytes(expected: position - bodyStart, found: bodyByteCount))
    }
  }

  private func object(
    _ value: JSONValue, at path: String
  ) throws(SafetensorsError) -> JSONObject {
    guard case .object(let object) = value else {
      throw error(.field(path: path, expected: "an object", found: value.kind))
    }
    return object
  }

  private func counts(
    _ value: JSONValue?, at path: String
  ) throws(SafetensorsError) -> [Int] {
    guard case .array(let elements)? = value else {
      throw error(.field(path: path, expected: "a list", found: value?.kind ?? "absent"))
    }
    var counts: [Int] = []
    for element in elements {
      guard let count = element.integer(as: Int.self), count >= 0 else {
        throw error(
          .field(path: path, expected: "a list of whole numbers from 0", found: "another list"))
      }
      counts.append(count)
    }
    return counts
  }
}

extension [Int] {
  /// The product of the elements; nothing where a partial product is out of range.
  package var product: Int? {
    var product = 1
    for element in self {
      let (next, overflow) = product.multipliedReportingOverflow(by: element)
      if overflow { return nil }
      product = next
    }
    return product
  }
}
