import Foundation
package import Images
package import Pipelines

/// Checks of the pictures of a folder, before they are encoded: what can't be read, what is treated
/// in a special way, and how much space the latents will take.
package struct FolderCheckup: Sendable {
  private let spatialFactor: Int
  private let fileCount: Int
  private var readable: [InputFile] = []
  private var pixelCount = 0
  private var sourceByteCount = 0
  private var noted: [Note: [String]] = [:]
  private let duplicateStems: [String]
  /// How many files were decoded as a whole.
  package private(set) var decodedCount = 0

  /// What can be special about a picture's file.
  private enum Note: String, CaseIterable {
    case orientation, opacity, profile, inks, depth, size, tiny

    /// What it is, for a number of files, and what `lvae` does about it.
    var text: (fact: String, advice: String) {
      switch self {
      case .orientation:
        (
          "are to be turned, says their EXIF data",
          "lvae encodes them upright; loaders that ignore EXIF see them otherwise"
        )
      case .opacity:
        (
          "have opacity",
          "it is kept beside the latent; --alpha flatten=white leaves it out, as most training does"
        )
      case .profile: ("have an ICC profile", "lvae converts them to sRGB")
      case .inks:
        ("are CMYK", "their colours become sRGB by profile or plain formula; look at one")
      case .depth: ("have 16 bits", "decoded pictures have 8")
      case .size:
        (
          "have sides that the model's factor doesn't divide",
          "lvae pads them at the right and below, and cuts that off again; latents are rounded up"
        )
      case .tiny: ("are smaller than 4×4 latents", "expect little of them")
      }
    }
  }

  /// The files that can't be read, and why.
  package private(set) var failures: [RunSummary.Failure]
  /// The pictures that were found.
  package let files: [InputFile]

  /// Finds the pictures below a folder.
  ///
  /// - Throws: `InputError` if there is none.
  package init(of folder: String, spatialFactor: Int) throws(InputError) {
    self.spatialFactor = spatialFactor
    let extensions = Set(ImageFormat.allCases.flatMap(\.fileExtensions))
    let list = try InputWalker.expand([folder], extensions: extensions)
    files = list.files
    fileCount = list.files.count + list.failures.count
    failures = list.failures.map { RunSummary.Failure(path: $0.path, reason: $0.reason) }
    var stems: [String: Int] = [:]
    for file in list.files {
      stems[(file.relativePath as NSString).deletingPathExtension, default: 0] += 1
    }
    duplicateStems = stems.filter { $0.value > 1 }.keys.sorted()
  }

  /// Looks into a file's header.
  package mutating func examine(_ file: InputFile) {
    do {
      let bytes = try FileReading.bytes(of: file)
      let footprint = try ImageFootprint(ofPictureIn: bytes)
      readable.append(file)
      pixelCount += footprint.width * footprint.height
      sourceByteCount += bytes.count
      note(.orientation, of: file, if: footprint.orientation != .upright)
      note(.opacity, of: file, if: footprint.channels.hasAlpha)
      note(.profile, of: file, if: footprint.hasICCProfile)
      note(.inks, of: file, if: footprint.isCMYK)
      note(.depth, of: file, if: footprint.bitDepth > 8)
      let sides = [footprint.width, footprint.height]
      note(.size, of: file, if: !sides.allSatisfy { $0.isMultiple(of: spatialFactor) })
      note(.tiny, of: file, if: sides.contains { $0 < 4 * spatialFactor })
    } catch {
      failures.append(RunSummary.Failure(path: file.path, reason: "\(error)"))
    }
  }

  private mutating func note(_ note: Note, of file: InputFile, if isSo: Bool) {
    if isSo { noted[note, default: []].append(file.relativePath) }
  }

  /// Files whose headers can be read, evenly chosen if they are more than `limit`.
  package func chosen(_ limit: Int) -> [InputFile] { readable.evenlyChosen(limit) }

  /// Decodes a file; nil, and a finding, if that can't be.
  package mutating func picture(of file: InputFile) -> Image? {
    do {
      let image = try Image(decoding: FileReading.bytes(of: file))
      decodedCount += 1
      return image
    } catch {
      failures.append(RunSummary.Failure(path: file.path, reason: "\(error)"))
      return nil
    }
  }

  /// What was found.
  ///
  /// - Parameters:
  ///   - bytesPerPixel: Of int8 `.latent` files; without it, no space is estimated.
  ///   - freeByteCount: How much is free where they go; nil if that isn't known.
  /// - Returns: The findings.
  package func findings(bytesPerPixel: Double?, freeByteCount: Int?) -> [Finding] {
    var findings = [readability]
    for note in Note.allCases {
      guard let names = noted[note] else { continue }
      findings.append(
        Finding(
          .warning, note.rawValue,
          "\(names.count) of \(fileCount) files \(note.text.fact) (\(names.briefly))",
          advice: note.text.advice))
    }
    if !duplicateStems.isEmpty {
      findings.append(
        Finding(
          .warning, "names",
          "\(duplicateStems.count) of the names stand for several files (\(duplicateStems.briefly).*)",
          advice:
            "their latents keep it, as in photo.jpg.latent; tools that drop it would mix them up"
        ))
    }
    if let bytesPerPixel { findings.append(space(bytesPerPixel, freeByteCount)) }
    return findings
  }

  private var readability: Finding {
    guard !failures.isEmpty else {
      return Finding(
        .fine, "files",
        "\(fileCount) pictures, \(ByteCount(bytes: sourceByteCount)); all headers read, "
          + "\(decodedCount) decoded as a whole")
    }
    let examples = failures.prefix(3).map(\.description)
    return Finding(
      .wrong, "files",
      "\(failures.count) of \(fileCount) can't be read: "
        + examples.joined(separator: " | ") + (failures.count > 3 ? " | …" : ""),
      advice: "mend or remove them; a run would do the others and end with status 1")
  }

  private func space(_ bytesPerPixel: Double, _ freeByteCount: Int?) -> Finding {
    let needed = Int((bytesPerPixel * Double(pixelCount)).rounded(.up))
    let text =
      "about \(ByteCount(bytes: needed)) for \(readable.count) latents as int8 "
      + "(\((8 * bytesPerPixel).text(digits: 2)) bits a pixel)"
    guard let freeByteCount else { return Finding(.fine, "space", text) }
    let free = text + ", and \(ByteCount(bytes: freeByteCount)) are free here"
    return needed < freeByteCount
      ? Finding(.fine, "space", free)
      : Finding(
        .wrong, "space", free, advice: "choose another disk with -o, or --storage int6 or int4")
  }
}
