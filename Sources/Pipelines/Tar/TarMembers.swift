import Tensors

/// Where a tar comes from.
package enum TarSource: Hashable, Sendable {
  case file(String)
  case standardInput
}

/// What is made of the members of a tar that have certain extensions.
///
/// A member's name is that in the tar; the bytes are all of it.
package struct TarMemberWork<Loaded: Sendable, Computed: Sendable, Note: Sendable>: Sendable {
  /// The members that are worked on, by their extensions in lower case; others are carried along.
  package var inputExtensions: Set<String>
  /// The extension of what is made.
  package var outputExtension: String
  /// Whether bytes are a result of this program.
  package var isOwn: @Sendable (_ bytes: [UInt8]) -> Bool
  /// Whether an earlier run's result is what would be made of a member.
  package var isCurrent: @Sendable (_ bytes: [UInt8], _ existing: [UInt8]) -> Bool
  /// The first stage.
  package var read: @Sendable (_ name: String, _ bytes: [UInt8]) throws -> Loaded
  /// The second stage.
  package var compute: @Sendable (Loaded) throws -> Computed
  /// The third stage.
  package var pack: @Sendable (Computed) throws -> FileRun.Result<Note>

  package init(
    inputExtensions: Set<String>, outputExtension: String,
    isOwn: @escaping @Sendable ([UInt8]) -> Bool,
    isCurrent: @escaping @Sendable ([UInt8], [UInt8]) -> Bool,
    read: @escaping @Sendable (String, [UInt8]) throws -> Loaded,
    compute: @escaping @Sendable (Loaded) throws -> Computed,
    pack: @escaping @Sendable (Computed) throws -> FileRun.Result<Note>
  ) {
    self.inputExtensions = inputExtensions
    self.outputExtension = outputExtension
    self.isOwn = isOwn
    self.isCurrent = isCurrent
    self.read = read
    self.compute = compute
    self.pack = pack
  }
}

/// A member of a tar on its way.
package struct TarItem: Sendable {
  /// Its name in the tar that is read.
  package let name: String
  /// Its name in the tar that is written.
  package let outputName: String
  /// Whether it is worked on; else it is carried along.
  package let isWork: Bool
  let modificationTime: Int
  let bytes: [UInt8]
  /// What an earlier run made of it.
  let existing: [UInt8]?

  /// The part of the name by which WebDataset groups members: up to the first dot behind the last
  /// slash.
  var sampleKey: Substring {
    let start = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    let end = name[start...].firstIndex(of: ".") ?? name.endIndex
    return name[..<end]
  }
}

/// The members of a tar in their order, each with what an earlier run made of it.
struct TarItems {
  private let reader: TarReader
  private var earlier: EarlierMembers?
  private let inputExtensions: Set<String>
  private let outputExtension: String
  private var names: Set<UInt64> = []
  private var outputNames: Set<UInt64> = []
  /// Why it ended before the tar's end.
  private(set) var problem: (any Error)?
  /// Whether nothing comes any more.
  private(set) var hasEnded = false

  /// The members of `reader`, beside those of the tar that an earlier run made of them.
  init(
    _ reader: TarReader, earlier: TarReader?, inputExtensions: Set<String>, outputExtension: String
  ) {
    self.reader = reader
    self.earlier = earlier.map(EarlierMembers.init)
    self.inputExtensions = inputExtensions
    self.outputExtension = outputExtension
  }

  /// Whether the earlier run made members that this one doesn't.
  var isEarlierLeftOver: Bool { earlier?.current != nil }

  /// The next member; nil at the end, or with ``problem`` set.
  mutating func next() -> TarItem? {
    do {
      guard !hasEnded, let member = try reader.next() else {
        hasEnded = true
        return nil
      }
      guard names.insert(Self.fingerprint(member.name)).inserted else {
        throw TarError.duplicate(path: reader.path, member: member.name)
      }
      let isWork = isWork(member.name)
      let name = try outputName(of: member.name, isWork: isWork)
      return TarItem(
        name: member.name, outputName: name, isWork: isWork,
        modificationTime: member.modificationTime, bytes: try reader.bytes(),
        existing: earlier?.take(name))
    } catch {
      problem = error
      hasEnded = true
      return nil
    }
  }

  private func isWork(_ name: String) -> Bool {
    guard PathText.name(of: name).utf8.first != UInt8(ascii: ".") else { return false }
    return PathText.fileExtension(of: name).map(inputExtensions.contains) ?? false
  }

  /// `a.jpg` becomes `a.latent`; if that is taken, `a.jpg.latent`.
  private mutating func outputName(of name: String, isWork: Bool) throws(TarError) -> String {
    let stem = PathText.removingExtension(name, of: inputExtensions)
    let candidates = isWork ? [stem, name].map { "\($0).\(outputExtension)" } : [name]
    for candidate in candidates where outputNames.insert(Self.fingerprint(candidate)).inserted {
      return candidate
    }
    throw .duplicate(path: reader.path, member: candidates[candidates.count - 1])
  }

  /// Eight bytes for a name, so that those of millions of members fit into memory.
  private static func fingerprint(_ name: String) -> UInt64 {
    var hash = SHA256()
    hash.update(Array(name.utf8))
    return hash.digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// The members of a tar that an earlier run wrote, taken one behind the other.
private struct EarlierMembers {
  private let reader: TarReader
  /// The one that comes next.
  private(set) var current: (name: String, bytes: [UInt8])?

  init(_ reader: TarReader) {
    self.reader = reader
    advance()
  }

  private mutating func advance() {
    current = nil
    // What is damaged there is made anew.
    guard let member = try? reader.next(), let bytes = try? reader.bytes() else { return }
    current = (member.name, bytes)
  }

  /// The bytes of a member, if it is the one that comes next.
  mutating func take(_ name: String) -> [UInt8]? {
    guard let current, current.name == name else { return nil }
    advance()
    return current.bytes
  }
}
