import Tensors

extension JSONValue {
  /// The value as JSON for people: a member a line, lists in one line.
  var indentedText: String { indentedText("") }

  private func indentedText(_ indent: String) -> String {
    guard case .object(let object) = self, !object.members.isEmpty else { return text }
    let lines = object.members.map { member in
      "\(indent)  \(member.key.quotedAsJSON): \(member.value.indentedText(indent + "  "))"
    }
    return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
  }
}
