import Glibc

/// Where a tar goes.
package enum TarTarget: Sendable {
  /// A file, which appears when it is whole.
  case file(String, OutputFolders)
  case standardOutput
}

/// Writes members as a tar, sample by sample.
///
/// A sample is what WebDataset takes for one: members in a row whose names are alike up to the first
/// dot. If one member of a sample fails, none of it is written, since a sample without its picture
/// ends the programs that read it; it is listed as failed.
struct TarSink {
  /// What was written, in members.
  struct Counts: Sendable {
    var made = 0
    var kept = 0
    var carried = 0
    /// Left out with a member of the same sample that failed.
    var dropped = 0
  }

  /// How a member came to be.
  enum Kind: Sendable {
    case made, kept, carried
  }

  private enum Output {
    case file(AtomicFile)
    case descriptor(FileDescriptor)
    case nowhere
  }

  /// A member whose sample isn't known to be whole yet.
  private struct Held {
    var bytes: [UInt8]
    var kind: Kind
    var isNew: Bool
  }

  /// A sample with more than that is written as it comes.
  private static let heldByteCount = 1 << 28
  private static let heldCount = 4096

  private var output: Output
  private(set) var counts = Counts()
  /// Whether anything differs from the tar that was there.
  private(set) var isChanged: Bool
  private var key: Substring = ""
  private var held: [Held] = []
  private var heldBytes = 0
  private var hasFailed = false

  /// Begins a tar; `isNew` if there is none yet that it may be equal to.
  init(_ target: TarTarget, isNew: Bool) throws(FileError) {
    isChanged = isNew
    switch target {
    case .file(let path, let folders): output = .file(try folders.open(path))
    case .standardOutput:
      output = .descriptor(FileDescriptor(borrowing: STDOUT_FILENO, path: "standard output"))
    }
  }

  /// Adds a member with these bytes.
  mutating func add(
    _ item: TarItem, _ bytes: [UInt8], as kind: Kind, isNew: Bool
  ) throws(FileError) {
    try begin(item)
    if hasFailed {
      counts.dropped += 1
      if item.existing != nil { isChanged = true }
      return
    }
    let whole =
      TarEncoder.header(
        name: item.outputName, byteCount: bytes.count, modificationTime: item.modificationTime)
      + bytes + TarEncoder.padding(after: bytes.count)
    held.append(Held(bytes: whole, kind: kind, isNew: isNew))
    heldBytes += whole.count
    if heldBytes > Self.heldByteCount || held.count > Self.heldCount { try flush() }
  }

  /// Notes a member that can't be made.
  mutating func fail(_ item: TarItem) throws(FileError) {
    try begin(item)
    hasFailed = true
    counts.dropped += held.count
    if item.existing != nil || held.contains(where: { !$0.isNew }) { isChanged = true }
    (held, heldBytes) = ([], 0)
  }

  private mutating func begin(_ item: TarItem) throws(FileError) {
    guard item.sampleKey != key else { return }
    try flush()
    key = item.sampleKey
    hasFailed = false
  }

  private mutating func flush() throws(FileError) {
    for member in held {
      try write(member.bytes)
      switch member.kind {
      case .made: counts.made += 1
      case .kept: counts.kept += 1
      case .carried: counts.carried += 1
      }
      if member.isNew { isChanged = true }
    }
    (held, heldBytes) = ([], 0)
  }

  private func write(_ bytes: [UInt8]) throws(FileError) {
    switch output {
    case .file(let file): try file.write(bytes)
    case .descriptor(let descriptor): try descriptor.write(bytes.span)
    case .nowhere: break
    }
  }

  /// Leaves the tar, of which then nothing appears.
  mutating func discard() {
    // The last reference, whose end removes the temporary file.
    output = .nowhere
  }

  /// Ends the tar and puts it in its place, unless an equal one is there.
  ///
  /// - Parameter isLeftOver: Whether the one that is there has more members.
  /// - Throws: ``FileError``.
  mutating func finish(isLeftOver: Bool) throws(FileError) {
    try flush()
    isChanged = isChanged || isLeftOver
    try write(TarEncoder.end)
    if case .file(let file) = output, isChanged { try file.commit(syncingFolder: false) }
    discard()
  }
}
