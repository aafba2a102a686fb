import Foundation
import Tensors

/// A manifest that is read line by line.
///
/// What a line names is checked: paths stay below their folders, an input belongs to the part whose
/// manifest it is, and none stands there twice.
package struct ManifestReader {
  /// The manifest.
  package let path: String
  /// Its first line.
  package let head: ManifestHead
  private var lines: LineReader
  /// Whether the last line was read, which a run writes that came to its end.
  package private(set) var isFinished = false
  /// What was found where inputs are, and can't be one.
  package private(set) var unlisted: [InputFailure] = []

  /// Opens a manifest and reads its first line.
  ///
  /// - Throws: ``ManifestError``, also if the first line is of another part than the file's name.
  package init(of shard: Shard, in folder: ManifestFolder) throws(ManifestError) {
    path = folder.manifest(of: shard)
    lines = try LineReader(path: path)
    guard let line = try lines.next() else {
      throw .damaged(path: path, line: 1, reason: "it is empty")
    }
    let head: ManifestHead
    do {
      head = try Self.decoder.decode(ManifestHead.self, from: Data(line))
    } catch {
      throw .damaged(path: path, line: 1, reason: "it isn't the first line of a manifest")
    }
    guard head.manifest == 1 else {
      throw .damaged(
        path: path, line: 1, reason: "it is of version \(head.manifest), and 1 is known")
    }
    guard head.shard == shard.index, head.shards == shard.count else {
      throw .damaged(
        path: path, line: 1, reason: "it is of shard \(head.shard)/\(head.shards), not of \(shard)")
    }
    self.head = head
  }

  private enum Line: Decodable {
    case record(ManifestRecord)
    case unlisted(ManifestUnlisted)
    case end(ManifestEnd)

    private enum Keys: CodingKey { case path, unlisted }

    init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: Keys.self)
      if keys.contains(.path) {
        self = .record(try ManifestRecord(from: decoder))
      } else if keys.contains(.unlisted) {
        self = .unlisted(try ManifestUnlisted(from: decoder))
      } else {
        self = .end(try ManifestEnd(from: decoder))
      }
    }
  }

  /// The next record; nil after the last.
  ///
  /// - Throws: ``ManifestError``.
  package mutating func next() throws(ManifestError) -> ManifestRecord? {
    while let bytes = try lines.next() {
      if isFinished { throw damaged("it stands behind the last line") }
      let line: Line
      do {
        line = try Self.decoder.decode(Line.self, from: Data(bytes))
      } catch {
        throw damaged("it is no line of a manifest")
      }
      switch line {
      case .record(let record):
        try check(record)
        return record
      case .unlisted(let found):
        unlisted.append(InputFailure(path: found.unlisted, reason: found.error))
      case .end: isFinished = true
      }
    }
    return nil
  }

  /// Whether the last line of a manifest is there; the others aren't read.
  static func hasEnd(_ path: String) -> Bool {
    guard let source = try? ByteSource(contentsOf: URL(filePath: path)),
      let tail = try? source.bytes(in: max(0, source.byteCount - 256)..<source.byteCount),
      tail.last == 0x0A, let line = tail.dropLast().split(separator: 0x0A).last
    else { return false }
    return (try? decoder.decode(Line.self, from: Data(line))).map { line in
      if case .end = line { true } else { false }
    } ?? false
  }

  private func check(_ record: ManifestRecord) throws(ManifestError) {
    for found in [record.path, record.output].compactMap({ $0 })
    where !PathText.staysBelow(found) {
      throw .unsafePath(path: path, line: lines.number, found: found)
    }
    let expected = Shard.index(of: record.path, among: head.shards)
    guard expected == head.shard else {
      throw .wrongShard(
        path: path, line: lines.number, input: record.path, expected: expected)
    }
    guard record.status == .failed || (record.output != nil && record.bytes != nil) else {
      throw damaged("it is done, and names no output with its size")
    }
  }

  /// That a record is the second one of its input.
  package func duplicate(_ record: ManifestRecord) -> ManifestError {
    .duplicate(path: path, line: lines.number, input: record.path)
  }

  private func damaged(_ reason: String) -> ManifestError {
    .damaged(path: path, line: lines.number, reason: reason)
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }
}

/// The lines of a file, read in pieces.
private struct LineReader {
  private static let pieceByteCount = 1 << 18
  private static let longestLine = 1 << 24

  private let path: String
  private let source: ByteSource
  private var piece: ArraySlice<UInt8> = []
  private var position = 0
  /// The number of the line that was read last, from 1.
  private(set) var number = 0

  init(path: String) throws(ManifestError) {
    self.path = path
    do {
      source = try ByteSource(contentsOf: URL(filePath: path))
    } catch {
      throw .damaged(path: path, line: 0, reason: error.reason)
    }
  }

  /// The next line without its end; nil at the end of the file.
  mutating func next() throws(ManifestError) -> [UInt8]? {
    var line: [UInt8] = []
    while true {
      if let end = piece.firstIndex(of: 0x0A) {
        line += piece[..<end]
        piece = piece[(end + 1)...]
        number += 1
        return line
      }
      line += piece
      piece = []
      guard line.count <= Self.longestLine else {
        throw .damaged(path: path, line: number + 1, reason: "it is too long")
      }
      guard position < source.byteCount else { break }
      let end = min(position + Self.pieceByteCount, source.byteCount)
      do {
        piece = try source.bytes(in: position..<end)[...]
      } catch {
        throw .damaged(path: path, line: number + 1, reason: error.reason)
      }
      position = end
    }
    number += 1
    guard line.isEmpty else {
      throw .damaged(path: path, line: number, reason: "it is cut off")
    }
    return nil
  }
}
