import Tensors

/// The members of an object of the header, read with what each may hold.
struct HeaderFields {
  private let path: String
  private let object: JSONObject

  /// The members of an object; `path` names it in messages.
  init(_ object: JSONObject, path: String = "") {
    self.object = object
    self.path = path
  }

  private func error(_ key: String, _ reason: String) -> LatentFileError {
    .invalidHeader(field: path + key, reason: reason)
  }

  private func required<Value>(_ key: String, _ value: Value?) throws(LatentFileError) -> Value {
    guard let value else { throw error(key, "is missing") }
    return value
  }

  /// The members of an inner object, if it is there.
  func optionalFields(_ key: String) throws(LatentFileError) -> HeaderFields? {
    guard let value = object[key] else { return nil }
    guard case .object(let object) = value else { throw error(key, "is not an object") }
    return HeaderFields(object, path: path + key + ".")
  }

  /// The members of an inner object.
  func fields(_ key: String) throws(LatentFileError) -> HeaderFields {
    try required(key, try optionalFields(key))
  }

  /// A text, if it is there.
  func optionalString(_ key: String) throws(LatentFileError) -> String? {
    guard let value = object[key] else { return nil }
    guard case .string(let string) = value else { throw error(key, "is not text") }
    return string
  }

  /// A text.
  func string(_ key: String) throws(LatentFileError) -> String {
    try required(key, try optionalString(key))
  }

  /// A SHA-256 in hexadecimal, if it is there.
  func optionalSHA256(_ key: String) throws(LatentFileError) -> String? {
    guard let text = try optionalString(key) else { return nil }
    let isDigest =
      text.utf8.count == 64
      && text.utf8.allSatisfy { digit in
        0x30...0x39 ~= digit || 0x61...0x66 ~= digit
      }
    guard isDigest else { throw error(key, "is not 64 lowercase hexadecimal digits") }
    return text
  }

  /// A SHA-256 in hexadecimal.
  func sha256(_ key: String) throws(LatentFileError) -> String {
    try required(key, try optionalSHA256(key))
  }

  /// One of the names of an enumeration.
  func name<Name: RawRepresentable<String>>(_ key: String) throws(LatentFileError) -> Name {
    let text = try string(key)
    guard let name = Name(rawValue: text) else {
      throw error(key, "is \(text.quotedBriefly), which is unknown")
    }
    return name
  }

  /// An integer within a range, if it is there.
  func optionalInteger<Integer: FixedWidthInteger>(
    _ key: String, in range: ClosedRange<Integer>
  ) throws(LatentFileError) -> Integer? {
    guard let value = object[key] else { return nil }
    return try integer(value, key, in: range)
  }

  /// An integer within a range.
  func integer<Integer: FixedWidthInteger>(
    _ key: String, in range: ClosedRange<Integer>
  ) throws(LatentFileError) -> Integer {
    try required(key, try optionalInteger(key, in: range))
  }

  private func integer<Integer: FixedWidthInteger>(
    _ value: JSONValue, _ key: String, in range: ClosedRange<Integer>
  ) throws(LatentFileError) -> Integer {
    guard let integer = value.integer(as: Integer.self), range ~= integer else {
      throw error(key, "is not an integer in \(range.lowerBound)…\(range.upperBound)")
    }
    return integer
  }

  /// Integers within a range, if they are there.
  func optionalIntegers(
    _ key: String, in range: ClosedRange<Int>
  ) throws(LatentFileError) -> [Int]? {
    guard let values = try optionalArray(key) else { return nil }
    return try values.map { value throws(LatentFileError) in try integer(value, key, in: range) }
  }

  /// Integers within a range.
  func integers(_ key: String, in range: ClosedRange<Int>) throws(LatentFileError) -> [Int] {
    try required(key, try optionalIntegers(key, in: range))
  }

  /// A finite number, if it is there.
  func optionalFloat(_ key: String) throws(LatentFileError) -> Float? {
    guard let value = object[key] else { return nil }
    return try float(value, key)
  }

  private func float(_ value: JSONValue, _ key: String) throws(LatentFileError) -> Float {
    guard let float = value.float else { throw error(key, "is not a number of float32") }
    return float
  }

  /// Finite numbers, `count` of them, if they are there.
  func optionalFloats(_ key: String, count: Int) throws(LatentFileError) -> [Float]? {
    guard let values = try optionalArray(key) else { return nil }
    return try floats(values, key, count: count)
  }

  /// Finite numbers, `count` of them.
  func floats(_ key: String, count: Int) throws(LatentFileError) -> [Float] {
    try required(key, try optionalFloats(key, count: count))
  }

  private func floats(
    _ values: [JSONValue], _ key: String, count: Int
  ) throws(LatentFileError) -> [Float] {
    guard values.count == count else {
      throw error(key, "has \(values.count) numbers instead of \(count)")
    }
    return try values.map { value throws(LatentFileError) in try float(value, key) }
  }

  /// Rows of finite numbers.
  func matrix(_ key: String, rows: Int, columns: Int) throws(LatentFileError) -> [[Float]] {
    let values = try required(key, try optionalArray(key))
    guard values.count == rows else {
      throw error(key, "has \(values.count) rows instead of \(rows)")
    }
    return try values.map { row throws(LatentFileError) in
      guard case .array(let numbers) = row else { throw error(key, "has a row that is no list") }
      return try floats(numbers, key, count: columns)
    }
  }

  /// Texts, if they are there.
  func optionalStrings(_ key: String) throws(LatentFileError) -> [String]? {
    guard let values = try optionalArray(key) else { return nil }
    return try values.map { value throws(LatentFileError) in
      guard case .string(let string) = value else {
        throw error(key, "has an item that is no text")
      }
      return string
    }
  }

  private func optionalArray(_ key: String) throws(LatentFileError) -> [JSONValue]? {
    guard let value = object[key] else { return nil }
    guard case .array(let values) = value else { throw error(key, "is not a list") }
    return values
  }
}
