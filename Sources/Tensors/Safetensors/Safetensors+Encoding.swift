extension Safetensors {
  /// The bytes of a safetensors file that holds `tensors`.
  ///
  /// The same tensors and metadata give the same bytes: tensors lie in the order of their names,
  /// compared by Unicode scalars, and the header is padded with spaces to a multiple of 8 bytes.
  ///
  /// - Parameters:
  ///   - tensors: Names and tensors; a tensor is stored in the shape that it has.
  ///   - type: How scalars are stored: float32, float16 or bfloat16.
  ///   - metadata: Notes that ``metadata`` gives back.
  /// - Returns: The file's bytes.
  /// - Precondition: `type` is float32, float16 or bfloat16.
  /// - Throws: ``SafetensorsError`` where a name occurs twice or is `__metadata__`, or a finite
  ///   value is out of the type's range.
  public static func encoded(
    tensors: [(name: String, tensor: Tensor)], as type: ScalarType = .float32,
    metadata: [String: String] = [:]
  ) throws(SafetensorsError) -> [UInt8] {
    let sorted = try checked(tensors, as: type)
    var bytes = header(of: sorted, as: type, metadata: metadata)
    bytes.reserveCapacity(
      bytes.count + sorted.reduce(0) { $0 + $1.tensor.shape.scalarCount * type.byteCount })
    for (_, tensor) in sorted { bytes.append(contentsOf: tensor.bytes(as: type)) }
    return bytes
  }

  /// Hands the bytes of ``encoded(tensors:as:metadata:)`` to `sink` in pieces, the header and then
  /// tensor by tensor, so that they needn't be in memory all at once.
  ///
  /// - Precondition: `type` is float32, float16 or bfloat16.
  /// - Throws: ``SafetensorsError`` as ``encoded(tensors:as:metadata:)``, before anything is handed
  ///   over; and what `sink` throws.
  package static func encode(
    tensors: [(name: String, tensor: Tensor)], as type: ScalarType = .float32,
    metadata: [String: String] = [:], to sink: ([UInt8]) throws -> Void
  ) throws {
    let sorted = try checked(tensors, as: type)
    try sink(header(of: sorted, as: type, metadata: metadata))
    for (_, tensor) in sorted { try sink(tensor.bytes(as: type)) }
  }

  /// The tensors in the order of the file.
  private static func checked(
    _ tensors: [(name: String, tensor: Tensor)], as type: ScalarType
  ) throws(SafetensorsError) -> [(name: String, tensor: Tensor)] {
    precondition(
      [.float32, .float16, .bfloat16].contains(type), "tensors aren't written as \(type.rawValue)")
    let sorted = tensors.sorted {
      $0.name.unicodeScalars.lexicographicallyPrecedes($1.name.unicodeScalars)
    }
    var names: Set<String> = ["__metadata__"]
    for (name, tensor) in sorted {
      guard names.insert(name).inserted else { throw refusal(.unwritableName(name)) }
      try checkRange(of: tensor, named: name, as: type)
    }
    return sorted
  }

  private static func refusal(_ problem: SafetensorsError.Problem) -> SafetensorsError {
    SafetensorsError(source: "tensors to be written", problem: problem)
  }

  private static func checkRange(
    of tensor: Tensor, named name: String, as type: ScalarType
  ) throws(SafetensorsError) {
    // The smallest magnitudes that round to infinity.
    let bound: Float
    switch type {
    case .float16: bound = 65520
    case .bfloat16: bound = Float(bitPattern: 0x7F7F_8000)
    default: return
    }
    let span = tensor.span
    for index in span.indices where span[index].isFinite && abs(span[index]) >= bound {
      throw refusal(.outOfRange(tensor: name, value: span[index], type: type))
    }
  }

  private static func header(
    of tensors: [(name: String, tensor: Tensor)], as type: ScalarType, metadata: [String: String]
  ) -> [UInt8] {
    var header = JSONObject()
    if !metadata.isEmpty {
      var notes = JSONObject()
      for (key, note) in metadata.sorted(by: {
        $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars)
      }) {
        notes[key] = .string(note)
      }
      header["__metadata__"] = .object(notes)
    }
    var offset = 0
    for (name, tensor) in tensors {
      let end = offset + tensor.shape.scalarCount * type.byteCount
      header[name] = .object([
        "dtype": .string(type.rawValue), "shape": JSONValue(tensor.shape.dimensions),
        "data_offsets": JSONValue([offset, end]),
      ])
      offset = end
    }
    var text = Array(JSONValue.object(header).text.utf8)
    while text.count % 8 != 0 { text.append(0x20) }
    let prefix = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return prefix + text
  }
}
