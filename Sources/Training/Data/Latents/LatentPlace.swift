import Foundation
import LatentFiles
import Pipelines
import Tensors

/// A latent on disk: a `.latent` file, or a member of a tar.
struct LatentPlace: Sendable {
  /// What messages call it.
  let name: String
  /// By what it is told from the others, wherever the data set lies.
  let key: String
  /// Its path in the folder or in the tar, by which its class is found.
  let path: String
  /// The class that a member beside it names.
  var className: String?
  private let url: URL
  /// Where it lies in a tar; nil if it is a file of its own.
  private let range: Range<Int>?

  /// The latents of a file of either kind.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  static func all(in file: InputFile) throws(TrainingDataError) -> [LatentPlace] {
    guard TarNames.isTar(file.path) else {
      return [
        LatentPlace(
          name: file.path, key: file.relativePath, path: file.relativePath, url: file.url,
          range: nil)
      ]
    }
    do {
      return try members(of: file)
    } catch {
      throw .unreadable(name: file.path, reason: "\(error)")
    }
  }

  private init(name: String, key: String, path: String, url: URL, range: Range<Int>?) {
    (self.name, self.key, self.path, self.url, self.range) = (name, key, path, url, range)
  }

  // MARK: Shards

  /// The latents of a shard as WebDataset has them: members with one stem belong together.
  private static func members(of file: InputFile) throws -> [LatentPlace] {
    let index = try TarReader.index(of: file.path).filter { !isHidden($0.member.name) }
    let source = try ByteSource(contentsOf: file.url)
    var classes: [String: String] = [:]
    for (member, range) in index where member.name.hasSuffix(classSuffix) {
      classes[String(member.name.dropLast(classSuffix.count))] = try className(
        source, range, of: member)
    }
    return index.filter { $0.member.name.hasSuffix(latentSuffix) }.map { member, range in
      var place = LatentPlace(
        name: "\(file.path): \(member.name)", key: "\(file.relativePath)/\(member.name)",
        path: member.name, url: file.url, range: range)
      let stem = String(member.name.dropLast(latentSuffix.count))
      place.className = classes[stem] ?? classes[sampleKey(of: stem)]
      return place
    }
  }

  private static var latentSuffix: String { ".latent" }
  private static var classSuffix: String { ".cls" }
  private static var classByteLimit: Int { 4096 }

  private static func isHidden(_ name: String) -> Bool {
    (name as NSString).lastPathComponent.hasPrefix(".")
  }

  /// A member's name up to the first dot behind its last slash, by which WebDataset groups.
  private static func sampleKey(of name: String) -> String {
    let start = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    let end = name[start...].firstIndex(of: ".") ?? name.endIndex
    return String(name[..<end])
  }

  private static func className(
    _ source: ByteSource, _ range: Range<Int>, of member: TarReader.Member
  ) throws(ShardError) -> String {
    guard range.count <= classByteLimit,
      let bytes = try? source.bytes(in: range),
      let text = String(validating: bytes, as: UTF8.self)?
        .trimmingCharacters(in: .whitespacesAndNewlines),
      !text.isEmpty
    else { throw ShardError(member: member.name) }
    return text
  }

  private struct ShardError: Error, CustomStringConvertible {
    let member: String
    var description: String {
      "its member \(member) names no class: up to \(classByteLimit) bytes of text are expected"
    }
  }

  // MARK: Reading

  /// What the file says of itself.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  func header() throws(TrainingDataError) -> LatentHeader {
    do {
      return try LatentFile.readHeader(contentsOf: url, in: range)
    } catch {
      throw .unreadable(name: name, reason: "\(error)")
    }
  }

  /// The numbers as they were stored, all finite: `[1, H, W, C]` or `[1, H, W, 2C]`.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  func read() throws(TrainingDataError) -> Tensor {
    do {
      return try LatentFile(contentsOf: url, in: range).latent.dequantized()
    } catch {
      throw .unreadable(name: name, reason: "\(error)")
    }
  }
}
