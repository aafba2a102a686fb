import Tensors
import Testing

struct JSONObjectTests {
  @Test func membersKeepTheirOrder() {
    var object: JSONObject = ["b": .null, "a": JSONValue(1)]
    object["c"] = .string("x")
    object["b"] = .boolean(true)
    #expect(object.members.map(\.key) == ["b", "a", "c"])
    #expect(object["b"] == .boolean(true))
    object["a"] = nil
    object["absent"] = nil
    #expect(object == ["b": .boolean(true), "c": .string("x")])
    #expect(object != ["c": .string("x"), "b": .boolean(true)])
  }

  /// Few members are searched, and many have their places noted.
  @Test func membersAreFoundHoweverManyThereAre() {
    var object = JSONObject()
    for count in 1...40 {
      let isNew = object.append("\(count)", JSONValue(count))
      let isNewAgain = object.append("\(count)", .null)
      #expect(isNew && !isNewAgain)
      for key in 1...count { #expect(object["\(key)"] == JSONValue(key)) }
      #expect(object["\(count + 1)"] == nil)
    }
    object["7"] = .null
    for count in (1...40).reversed() {
      object["\(count)"] = nil
      #expect(object["\(count)"] == nil)
      for key in 1..<count { #expect(object["\(key)"] == (key == 7 ? .null : JSONValue(key))) }
    }
    #expect(object == [:])
  }

  @Test func manyMembersAreReadInLinearTime() throws {
    let members = (0..<100_000).map { "\"key \($0)\":\($0)" }.joined(separator: ",")
    let bytes = Array("{\(members)}".utf8)
    let time = try ContinuousClock().measure {
      guard case .object(let object) = try JSONParser.parse(bytes) else { return }
      let found = (0..<100_000).map { object["key \($0)"]?.integer(as: Int.self) }
      #expect(found == (0..<100_000).map { $0 })
    }
    #expect(time < .seconds(5))
  }
}
