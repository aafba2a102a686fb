import Foundation
import Tensors

/// What a client asks for.
package struct Request: Sendable {
  /// `GET`, `POST` and so on; `HEAD` comes as `GET`.
  package let method: String
  /// The parts of the path between slashes, without percent encoding.
  package let path: [String]
  /// The parameters behind the question mark.
  package let query: Query
  /// The headers' values by name in lower case.
  package let headers: [String: String]
  /// What is sent along.
  package let body: RequestBody
  /// The connection that it came on.
  package let connection: Connection

  /// The parts of the path that a route left open, by name.
  package var parameters: [String: String] = [:]

  package init(
    method: String, path: [String], query: Query, headers: [String: String], body: RequestBody,
    connection: Connection
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.connection = connection
  }

  /// A part of the path that the route left open.
  ///
  /// - Precondition: the route has it.
  package func parameter(_ name: String) -> String { parameters[name] ?? "" }

  /// The value of a cookie.
  package func cookie(_ name: String) -> String? {
    for part in (headers["cookie"] ?? "").split(separator: ";") {
      let pair = part.split(separator: "=", maxSplits: 1)
      if pair.count == 2, pair[0].trimmingCharacters(in: .whitespaces) == name {
        return pair[1].trimmingCharacters(in: .whitespaces)
      }
    }
    return nil
  }
}

/// A path and its parameters, from a request's first line.
package enum RequestTarget {
  /// The longest path with parameters that is read.
  package static let byteLimit = 8192

  /// The path's parts; nil if it isn't one.
  package static func path(_ text: String) -> [String]? {
    guard text.utf8.count <= byteLimit, text.hasPrefix("/") else { return nil }
    if text == "/" { return [] }
    var parts: [String] = []
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let decoded = part.removingPercentEncoding, !decoded.isEmpty, decoded != ".",
        decoded != "..", !decoded.utf8.contains(where: { $0 < 32 || $0 == UInt8(ascii: "/") })
      else { return nil }
      parts.append(decoded)
    }
    return parts
  }
}

/// The parameters of a request, read once each; what isn't asked for is refused in the end.
package struct Query: Sendable {
  private let values: [String: String]

  /// The parameters of `a=1&b=2`.
  ///
  /// - Throws: ``Problem`` for a name that occurs twice, or text that isn't percent-encoded UTF-8.
  package init(parsing text: String) throws(Problem) {
    var values: [String: String] = [:]
    for part in text.split(separator: "&") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let words = pair.map { $0.replacingOccurrences(of: "+", with: " ").removingPercentEncoding }
      guard let name = words[0], let value = words.count > 1 ? words[1] : "" else {
        throw .badRequest("the parameters aren't percent-encoded UTF-8")
      }
      guard values.updateValue(value, forKey: name) == nil else {
        throw .badRequest("the parameter \(name) occurs twice")
      }
    }
    self.values = values
  }

  /// Refuses parameters that nothing is known of.
  package func check(_ known: Set<String>) throws(Problem) {
    if let other = values.keys.filter({ !known.contains($0) }).min() {
      throw .badRequest(
        "there is no parameter \(other.quotedBriefly); known are "
          + (known.isEmpty ? "none" : known.sorted().joined(separator: ", ")))
    }
  }

  /// The parameter's text; nil if it isn't given.
  package subscript(name: String) -> String? { values[name] }

  /// A whole number.
  package func integer<Number: FixedWidthInteger>(
    _ name: String, in range: ClosedRange<Number>
  ) throws(Problem) -> Number? {
    guard let text = values[name] else { return nil }
    guard let number = Number(text), range.contains(number) else {
      throw .badParameter(
        name, text, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A number.
  package func number(_ name: String, in range: ClosedRange<Double>) throws(Problem) -> Double? {
    guard let text = values[name] else { return nil }
    guard let number = Double(text), range.contains(number) else {
      throw .badParameter(name, text, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// Numbers with commas between them, `count` of them.
  package func numbers(
    _ name: String, count: Int, in range: ClosedRange<Double>
  ) throws(Problem) -> [Double]? {
    guard let text = values[name] else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    let valid = numbers.compactMap { $0 }.filter { range.contains($0) }
    guard valid.count == numbers.count, valid.count == count else {
      throw .badParameter(
        name, text, "\(count) numbers from \(range.lowerBound) to \(range.upperBound), with commas")
    }
    return valid
  }

  /// One of several words.
  package func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String, of type: Value.Type
  ) throws(Problem) -> Value? {
    guard let text = values[name] else { return nil }
    guard let value = Value(rawValue: text) else {
      throw .badParameter(
        name, text, "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }
}
