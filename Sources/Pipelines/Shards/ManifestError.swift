/// Why manifests can't be used.
package enum ManifestError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is none.
  case none(folder: String)
  /// A line isn't what a manifest holds.
  case damaged(path: String, line: Int, reason: String)
  /// A path leads out of the folders that the manifest is about.
  case unsafePath(path: String, line: Int, found: String)
  /// An input belongs to another part.
  case wrongShard(path: String, line: Int, input: String, expected: Int)
  /// An input stands there twice.
  case duplicate(path: String, line: Int, input: String)
  /// Two manifests aren't of one run.
  case mismatch(path: String, property: String, found: String, other: String, expected: String)
  /// There is no place for a manifest.
  case noFolder
  /// The model that is given isn't that of the manifests.
  case otherModel(path: String, wanted: ManifestHead.Model, given: String)

  package var description: String {
    switch self {
    case .none(let folder):
      "there is no manifest in \(folder)/.lvae; encode with --shard i/N or --claim and -o \(folder)"
    case .damaged(let path, let line, let reason):
      "\(path), line \(line): \(reason); run that shard again, which writes it anew"
    case .unsafePath(let path, let line, let found):
      "\(path), line \(line): the path \(found.debugDescription) is absolute, or leads out of the "
        + "folder by .. or a link; nothing is done with this manifest"
    case .wrongShard(let path, let line, let input, let expected):
      "\(path), line \(line): \(input) belongs to shard \(expected) by its hash; the manifest was "
        + "renamed, or isn't lvae's"
    case .duplicate(let path, let line, let input):
      "\(path), line \(line): \(input) stands there twice; the manifest isn't lvae's"
    case .mismatch(let path, let property, let found, let other, let expected):
      "\(path) has \(property) \(found), and \(other) has \(expected): they are not of one run. Use "
        + "the same, or another output folder, or remove the manifests to begin anew"
    case .noFolder:
      "a manifest needs one folder to lie in: give it with -o; or --shard none for all inputs "
        + "without a manifest"
    case .otherModel(let path, let wanted, let given):
      "\(path) is of the model \(wanted.name) (weights \(wanted.sha256.prefix(12))…), and the one "
        + "given has the weights \(given.prefix(12))…; name the right one with --model"
    }
  }
}
