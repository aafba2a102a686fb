public import FoundationEssentials
public import Tensors

extension SchedulerConfiguration {
  /// The largest file that is read, in bytes; trained β may be many.
  private static let byteLimit = 16 << 20

  /// Reads a `scheduler_config.json`.
  ///
  /// - Parameters:
  ///   - url: the file.
  ///   - className: the class to read it for, as diffusers' `from_config`; by default the one that
  ///     the file names.
  /// - Throws: ``SchedulerError`` where it can't be read, names an unknown class, or has settings
  ///   that can't be followed.
  public init(contentsOf url: URL, as className: ClassName? = nil) throws(SchedulerError) {
    let bytes: [UInt8]
    do throws(ByteSourceError) {
      bytes = try ByteSource.bytes(contentsOf: url, limit: Self.byteLimit)
    } catch {
      throw .unreadable(path: error.name, reason: error.reason)
    }
    try self.init(parsing: bytes, source: url.path, as: className)
  }

  /// Reads what a `scheduler_config.json` holds.
  ///
  /// - Parameters:
  ///   - bytes: the file's.
  ///   - source: its name, for messages.
  ///   - className: the class to read it for; by default the one that it names.
  /// - Throws: ``SchedulerError`` where it names an unknown class, or has settings that can't be
  ///   followed.
  public init(
    parsing bytes: [UInt8], source: String, as className: ClassName? = nil
  ) throws(SchedulerError) {
    let value: JSONValue
    do {
      value = try JSONParser.parse(Self.withoutInfinities(bytes), byteLimit: Self.byteLimit)
    } catch {
      throw .json(source: source, error)
    }
    guard case .object(let object) = value else {
      throw .field(source: source, name: "the file", expected: "an object", found: value.kind)
    }
    try self.init(object, source: source, as: className)
  }

  /// The settings in an object; absent ones and `null` are the class's defaults, and unknown keys
  /// are passed over.
  ///
  /// - Throws: ``SchedulerError`` where it names an unknown class, or has settings that can't be
  ///   followed.
  public init(
    _ object: JSONObject, source: String, as className: ClassName? = nil
  ) throws(SchedulerError) {
    let named =
      if let className { className } else { try Self.className(in: object, source: source) }
    self.init(named)
    for field in SchedulerField.known where field.classes.contains(self.className) {
      guard let value = object[field.key], value != .null else { continue }
      // The two keys of one property: false says nothing about the other.
      if field.isSpacing, value == .boolean(false) { continue }
      guard !field.isSpacing || sigmaSpacing == .timesteps else {
        throw .contradiction(
          "\(source): use_karras_sigmas and use_exponential_sigmas exclude each other; set one to "
            + "false")
      }
      guard field.read(value, &self) else {
        throw .field(
          source: source, name: field.key, expected: field.expected, found: value.text)
      }
    }
    for (key, only, classes) in SchedulerField.fixed where classes.contains(self.className) {
      guard let value = object[key], value != .null, value != only else { continue }
      throw .unsupported(source: source, name: key, value: value.text)
    }
    try validate()
  }

  private static func className(
    in object: JSONObject, source: String
  ) throws(SchedulerError) -> ClassName {
    guard case .string(let name)? = object["_class_name"] else {
      throw .field(
        source: source, name: "_class_name", expected: "a string",
        found: object["_class_name"]?.kind ?? "absent")
    }
    guard let className = ClassName(rawValue: name) else {
      throw .unknownClass(source: source, name: name)
    }
    return className
  }

  /// The settings as a `scheduler_config.json` has them; those that are nil are left out.
  public var json: JSONObject {
    var object: JSONObject = ["_class_name": .string(className.rawValue)]
    for field in SchedulerField.known where field.classes.contains(className) {
      object[field.key] = field.write(self)
    }
    return object
  }

  /// Python writes infinite numbers as JSON doesn't allow them; they become `null`, which is the
  /// default of the one setting that can be infinite.
  private static func withoutInfinities(_ bytes: [UInt8]) -> [UInt8] {
    let word = Array("-Infinity".utf8)
    var result: [UInt8] = []
    var (isString, isEscaped) = (false, false)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if !isString, byte == word[0], bytes[index...].starts(with: word) {
        result += Array("null".utf8)
        index += word.count
        continue
      }
      if byte == UInt8(ascii: "\""), !isEscaped { isString.toggle() }
      isEscaped = isString && byte == UInt8(ascii: "\\") && !isEscaped
      result.append(byte)
      index += 1
    }
    return result
  }
}

extension SchedulerField {
  /// Whether it is one of the keys that together say how noise levels are spread.
  fileprivate var isSpacing: Bool {
    key == "use_karras_sigmas" || key == "use_exponential_sigmas"
  }
}
