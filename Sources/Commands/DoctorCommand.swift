import ArgumentParser
import Foundation
import Images
import Models
import Pipelines
import Training

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check a model, and a folder of pictures, before a long run.",
    usage: "lvae doctor [<options>] <model> [<folder>]",
    discussion: """
      Of the model: finite numbers, what comes back of pictures, whether latents have mean 0 and \
      standard deviation 1 after its scaling (Rombach et al. 2021, arXiv:2112.10752, appendix G), \
      constant channels, KL(q(z|x) ‖ N(0, 1)) = ½(μ² + σ² − 1 − log σ²) near 0 (a collapsed \
      posterior), log σ² at its clamp of -30…20. The pictures are those of the folder, or else \
      samples that are part of the program; of large ones the middle 512×512 is taken.

      Of the folder: files that can't be read, EXIF orientation, opacity, ICC profiles, CMYK, 16 \
      bits, sides that the factor doesn't divide, equal names, the space that latents take.

      Exit status: 0 healthy, with warnings or without; 1 something is wrong; 2 the arguments make \
      no sense; 3 nothing could be checked.
      """)

  @Argument(help: "A name from `lvae models list`, or a model's folder or file.")
  var model: String

  @Argument(help: "A folder of pictures that are to be encoded.")
  var folder: String?

  @Option(
    help: ArgumentHelp(
      "How many pictures of the folder go through the model, evenly chosen.", valueName: "n"))
  var pictures = 8

  @Option(
    help: ArgumentHelp(
      "How many pictures of the folder are decoded as a whole, evenly chosen; of the others only the "
        + "header is read.", valueName: "n"))
  var decoded = 200

  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    for (name, value) in [("pictures", pictures), ("decoded", decoded)] where value < 1 {
      throw ValidationError("--\(name) \(value): a number of at least 1 is expected")
    }
  }

  private struct Summary: Encodable {
    let fine, warnings, wrong: Int
  }

  func run() throws {
    let findings = try runOptions.withThreads { try examine() }
    func count(_ level: Finding.Level) -> Int { findings.count { $0.level == level } }
    let summary = Summary(fine: count(.fine), warnings: count(.warning), wrong: count(.wrong))
    if runOptions.json {
      for finding in findings { print(try JSONLines.line(finding)) }
      print(try JSONLines.line(["summary": summary]))
    } else {
      for finding in findings where !runOptions.quiet || finding.level != .fine {
        print(finding.description)
      }
      runOptions.notice(
        "\(summary.fine) checks passed, \(summary.warnings) warnings, \(summary.wrong) wrong")
    }
    if summary.wrong > 0 { throw StatusError(status: .someFailed) }
  }

  private func examine() throws -> [Finding] {
    let codec = LatentCodec(try ModelStore().load(model))
    var checkup = ModelCheckup(of: codec)
    guard let folder else {
      for sample in SamplePicture.all { try checkup.add(sample.image(), named: sample.name) }
      return checkup.findings
    }
    var files = try FolderCheckup(
      of: folder, spatialFactor: codec.model.autoencoder.spatialFactor)
    let read = runOptions.progress("headers", total: files.files.count)
    read.begin()
    for file in files.files {
      files.examine(file)
      read.advance()
    }
    read.finish()
    guard try examine(&files, with: &checkup) else {
      for failure in files.failures { StandardError.write("lvae: \(failure)") }
      StandardError.write("lvae: no picture in \(folder) can be read, so nothing could be checked")
      throw StatusError(status: .nothingDone)
    }
    return checkup.findings
      + files.findings(bytesPerPixel: checkup.bytesPerPixel, freeByteCount: Self.freeByteCount)
  }

  /// Decodes pictures of the folder, and takes some of them through the model.
  ///
  /// - Returns: Whether there was one.
  private func examine(
    _ files: inout FolderCheckup, with checkup: inout ModelCheckup
  ) throws -> Bool {
    let chosen = files.chosen(decoded)
    let progress = runOptions.progress("pictures", total: chosen.count)
    progress.begin()
    var taken = 0
    for (index, file) in chosen.enumerated() {
      // Spread evenly; where one can't be decoded, the next one stands in.
      if let image = files.picture(of: file), taken <= index * pictures / chosen.count,
        taken < pictures
      {
        try checkup.add(image, named: file.relativePath)
        taken += 1
      }
      progress.advance()
    }
    progress.finish()
    return taken > 0
  }

  /// How much is free where the program was started.
  private static var freeByteCount: Int? {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: ".")
    return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
  }
}
