import ArgumentParser
import Foundation
import Images
import LatentFiles
import Pipelines
import Tensors

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what .latent files and drawn pictures say about themselves.",
    discussion: """
      Of .latent files, also of those in tars, the header is read only, and no model is needed; \
      `lvae verify` reads all of it. Of a PNG file that is named and that lvae drew, the settings \
      are shown, and the command that makes it again.
      """)

  @Argument(help: "Files, tars, and folders that are walked with all that is below them.")
  var inputs: [String]

  @Flag(
    help: """
      A line of JSON for each file: its name (of a member the tar's, and its own), and its header \
      as it stands.
      """)
  var json = false

  func run() throws {
    let list = try InputWalker.expandWithTars(inputs, extensions: ["latent"])
    for failure in list.failures { try tell(failure.path, failure.reason) }
    var shown = 0
    for file in list.files {
      do {
        if file.path.lowercased().hasSuffix(".png") {
          try showPicture(file, isFirst: shown == 0)
          shown += 1
          continue
        }
        let header = try LatentFile.readHeader(contentsOf: file.url, in: file.member?.range)
        if json {
          let member = try file.member.map { ",\"member\":\(try JSONLines.line($0.name))" } ?? ""
          print("{\"header\":\(header.json),\"input\":\(try JSONLines.line(file.path))\(member)}")
        } else {
          if shown > 0 { print() }
          print(HeaderText.text(of: header, file))
        }
        shown += 1
      } catch let error as any Error & CustomStringConvertible {
        try tell(file.path, member: file.member?.name, error.description)
      }
    }
    if shown < list.files.count + list.failures.count {
      throw StatusError(status: shown == 0 ? .nothingDone : .someFailed)
    }
  }

  /// Shows what a picture says about how it was made.
  private func showPicture(_ file: InputFile, isFirst: Bool) throws {
    let bytes = try FileReading.bytes(of: file)
    let note = Image.note(in: bytes).flatMap {
      $0.hasPrefix(GeneratedPictures.noteBeginning) ? $0 : nil
    }
    var members = GeneratedPictures.settings(in: bytes) ?? JSONObject()
    if members.members.isEmpty { members["note"] = note.map { .string($0) } }
    guard !members.members.isEmpty else {
      throw GenerationError.unusable(
        path: file.path,
        reason: "this picture doesn't say how it was made; only pictures drawn by "
          + "lvae, as PNG, do")
    }
    if json {
      print(JSONValue.object(["input": .string(file.path), "settings": .object(members)]).text)
      return
    }
    let rows = members.members.map { member in
      (member.key, HeaderText.text(of: member.value))
    }
    if !isFirst { print() }
    print(HeaderText.table(rows, path: file.path))
  }

  private struct Record: Encodable {
    let input: String
    let member: String?
    let error: String
    let status = "failed"
  }

  /// Says why a file is not shown, as the other commands do.
  private func tell(_ path: String, member: String? = nil, _ reason: String) throws {
    if json { print(try JSONLines.line(Record(input: path, member: member, error: reason))) }
    let label = member.map { "\(path): \($0)" } ?? path
    StandardError.write(RunSummary.Failure(path: label, reason: reason).description)
  }
}

/// The header of a `.latent` file, for people.
enum HeaderText {
  static func text(of header: LatentHeader, _ file: InputFile) -> String {
    let size = try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int
    let byteCount = file.member?.range.count ?? size ?? 0
    var rows: [(String, String)] = [
      ("model", model(header.metadata.model)),
      ("weights", header.metadata.model.sha256),
      ("latent", latent(header)),
      ("storage", storage(header, byteCount: byteCount)),
    ]
    if let source = header.metadata.source {
      rows.append(("picture", picture(source, header)))
      if source.width > 0, source.height > 0 {
        let bits = Double(byteCount * 8) / Double(source.width * source.height)
        rows.append(("bits per pixel", decimal(bits, digits: 3)))
      }
      if let sha256 = source.sha256 { rows.append(("source", sha256)) }
    }
    rows.append(("scaling", scaling(header.metadata.model)))
    rows.append(("thumbnail", header.metadata.preview == nil ? "none" : "linear projection"))
    rows.append(("written by", header.metadata.program))
    return table(rows, path: file.label)
  }

  /// Rows of names and values below a path.
  static func table(_ rows: [(String, String)], path: String) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return
      ([path]
      + rows.map { "  " + $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 })
      .joined(separator: "\n")
  }

  /// A value without the signs of JSON, on one line.
  static func text(of value: JSONValue) -> String {
    switch value {
    case .string(let text):
      String(text.map { $0.isNewline || $0.asciiValue.map { $0 < 32 } == true ? " " : $0 })
    case .array(let values): values.map(text(of:)).joined(separator: ", ")
    default: value.text
    }
  }

  private static func model(_ model: LatentModel) -> String {
    "\(model.name) (\(model.className))"
  }

  private static func latent(_ header: LatentHeader) -> String {
    var text =
      "\(header.channelCount)×\(header.height)×\(header.width), "
      + "\(header.metadata.values.rawValue), factor \(header.metadata.spatialFactor)"
    if let seed = header.metadata.seed { text += ", seed \(seed)" }
    return text
  }

  private static func storage(_ header: LatentHeader, byteCount: Int) -> String {
    "\(header.storage.rawValue), \(ByteCount(bytes: byteCount)) in the file, "
      + "\(ByteCount(bytes: header.payloadByteCount)) unpacked"
  }

  private static func picture(_ source: LatentSource, _ header: LatentHeader) -> String {
    var parts = ["\(source.width)×\(source.height)", source.colour.rawValue]
    if let format = source.format { parts.append("from \(format)") }
    if let alpha = header.alpha {
      parts.append("with \(alpha.bitDepth) bits of opacity")
    } else if source.alphaBitDepth > 0 {
      parts.append("opacity flattened")
    }
    if source.orientation > 1 { parts.append("orientation \(source.orientation) applied") }
    return parts.joined(separator: ", ")
  }

  private static func scaling(_ model: LatentModel) -> String {
    if let mean = model.latentsMean {
      return "per channel (\(mean.count)), factor \(model.scalingFactor)"
    }
    return "factor \(model.scalingFactor), shift \(model.shiftFactor)"
  }

  /// A number with so many digits behind the point.
  static func decimal(_ value: Double, digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }
}
