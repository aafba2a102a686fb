package import LatentFiles

/// Where a file lies in a tar.
package struct TarPlace: Hashable, Sendable {
  /// The member's name.
  package let name: String
  /// Its bytes in the tar.
  package let range: Range<Int>
}

extension InputWalker {
  /// The files that `inputs` stand for, those in tars among them: each tar that is named or found
  /// gives its members with these extensions in its place.
  ///
  /// A tar that is damaged gives what is whole, and is a failure; so is one that was named and
  /// holds none of these. Members whose names begin with a dot are left out, like hidden files.
  ///
  /// - Throws: ``InputError`` if there is nothing at all.
  package static func expandWithTars(
    _ inputs: [String], extensions: Set<String>
  ) throws(InputError) -> InputList {
    let found = try expand(inputs, extensions: extensions.union(["tar"]))
    var list = InputList(failures: found.failures)
    for file in found.files {
      guard TarNames.isTar(file.path) else {
        list.files.append(file)
        continue
      }
      let (members, damage) = TarReader.contents(of: file, extensions: extensions)
      var problem = damage
      if members.isEmpty, problem == nil, inputs.contains(file.path) {
        problem = .holdsNone(path: file.path, extensions: extensions.sorted())
      }
      list.files += members
      if let problem {
        list.failures.append(InputFailure(path: file.path, reason: "\(problem)"))
      }
    }
    guard !list.files.isEmpty || !list.failures.isEmpty else {
      throw .nothingFound(
        extensions: Array(extensions.union(["tar"])), inputs: inputs, failures: [])
    }
    return list
  }
}

extension TarReader {
  /// The members of a tar that have certain extensions, and what is wrong with it.
  fileprivate static func contents(
    of file: InputFile, extensions: Set<String>
  ) -> (members: [InputFile], problem: TarError?) {
    let (found, readingProblem) = wholeMembers(of: file.path)
    var problem = readingProblem
    var members: [InputFile] = []
    var names: Set<String> = []
    for (member, range) in found {
      guard PathText.fileExtension(of: member.name).map(extensions.contains) == true,
        PathText.name(of: member.name).utf8.first != UInt8(ascii: ".")
      else { continue }
      guard names.insert(member.name).inserted else {
        problem = problem ?? .duplicate(path: file.path, member: member.name)
        continue
      }
      members.append(
        InputFile(
          path: file.path, relativePath: PathText.join(file.relativePath, member.name),
          member: TarPlace(name: member.name, range: range)))
    }
    return (members, problem)
  }
}

extension LatentFile {
  /// Reads a file, or a member of a tar.
  ///
  /// - Throws: any `LatentFileError` that is about reading.
  package init(contentsOf file: InputFile) throws(LatentFileError) {
    try self.init(contentsOf: file.url, in: file.member?.range)
  }
}
