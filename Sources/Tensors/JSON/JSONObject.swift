/// The members of a JSON object in the order they are written; no key occurs twice.
///
/// Objects are equal if they have the same members in the same order.
public struct JSONObject: Sendable {
  /// A named value.
  public struct Member: Hashable, Sendable {
    /// The name.
    public let key: String
    /// The value.
    public var value: JSONValue
  }

  /// The members in order.
  public private(set) var members: [Member] = []
  /// Where each key is among the members; empty while they are few.
  private var places: [String: Int] = [:]

  /// Up to so many members are searched one by one, which is quicker than hashing a key.
  private static let fewCount = 8

  /// An object without members.
  public init() {}

  private func place(of key: String) -> Int? {
    members.count <= Self.fewCount ? members.firstIndex { $0.key == key } : places[key]
  }

  private mutating func notePlaces() {
    guard members.count > Self.fewCount else {
      places = [:]
      return
    }
    places = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1.key, $0) })
  }

  /// The value of a key; a new key goes to the end, and `nil` takes a member away.
  public subscript(key: String) -> JSONValue? {
    get { place(of: key).map { members[$0].value } }
    set {
      guard let place = place(of: key) else {
        if let newValue { addMember(key, newValue) }
        return
      }
      if let newValue {
        members[place].value = newValue
      } else {
        members.remove(at: place)
        notePlaces()
      }
    }
  }

  /// Adds a member at the end, unless the key is there; says whether it did.
  package mutating func append(_ key: String, _ value: JSONValue) -> Bool {
    guard place(of: key) == nil else { return false }
    addMember(key, value)
    return true
  }

  private mutating func addMember(_ key: String, _ value: JSONValue) {
    members.append(Member(key: key, value: value))
    if members.count == Self.fewCount + 1 {
      notePlaces()
    } else if members.count > Self.fewCount {
      places[key] = members.count - 1
    }
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// An object with these members.
  ///
  /// - Precondition: no key occurs twice.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements {
      let isNew = append(key, value)
      precondition(isNew, "the key \(key) twice")
    }
  }
}

extension JSONObject: Hashable {
  /// Whether two objects have the same members in the same order.
  public static func == (first: JSONObject, second: JSONObject) -> Bool {
    first.members == second.members
  }

  /// Mixes in the members.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(members)
  }
}
