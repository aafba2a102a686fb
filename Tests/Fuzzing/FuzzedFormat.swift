import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Schedulers
import Tensors
import Training

/// A kind of bytes that strangers give, and what the program does with them first.
///
/// A reader may refuse bytes by throwing; what the fuzzer looks for is a trap, an error of memory,
/// time or memory out of proportion, and a file that isn't read as it is written again.
enum FuzzedFormat: String, CaseIterable {
  case latent, safetensors, torch, image, tar, idx, npy, npz, configuration, settings, manifest

  /// Reads bytes.
  ///
  /// - Throws: what the reader finds wrong with them.
  func read(_ bytes: [UInt8]) throws {
    switch self {
    case .latent: try readLatent(bytes)
    case .safetensors: try readSafetensors(bytes)
    case .torch: try readTorch(bytes)
    case .image: try readImage(bytes)
    case .tar: try readTar(bytes)
    case .idx: _ = try IDXFile.pictures(path: onDisk(bytes))
    case .npy: _ = try NumPyArray(decoding: bytes).tensor()
    case .npz: _ = try ForeignLatent(decoding: bytes, as: .kohyaNPZ, channels: 4)
    case .configuration: try readConfiguration(bytes)
    case .settings: try readSettings(bytes)
    case .manifest: try readManifest(bytes)
    }
  }

  private func readLatent(_ bytes: [UInt8]) throws {
    var limits = LatentFileLimits()
    limits.payloadByteCount = 1 << 22
    let file = try LatentFile(decoding: withRightChecksum(bytes), limits: limits)
    _ = file.latent.dequantized()
    let again = try LatentFile(decoding: try file.encoded())
    precondition(
      again.latent.dequantized().scalars == file.latent.dequantized().scalars,
      "a latent file changed on the way through a file")
  }

  /// A latent file whose header's checksum fits again, or hardly a change would be seen by what is
  /// behind it.
  private func withRightChecksum(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 12 else { return bytes }
    let size = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let end = 8 + size - 4
    guard end >= 8, end + 4 <= bytes.count else { return bytes }
    let checksum = CRC32.checksum(bytes.span.extracting(..<end))
    var bytes = bytes
    for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index)) }
    return bytes
  }

  private func readSafetensors(_ bytes: [UInt8]) throws {
    let file = try Safetensors(bytes: ByteSource(bytes))
    _ = try? ForeignLatent(decoding: bytes, as: .safetensors, channels: 4)
    for entry in file.entries { _ = try file.tensor(named: entry.name) }
  }

  private func readTorch(_ bytes: [UInt8]) throws {
    let archive = try TorchArchive(ByteSource(bytes))
    for name in archive.tensors.keys { _ = try archive.tensor(named: name) }
  }

  private func readImage(_ bytes: [UInt8]) throws {
    let limits = ImageLimits(maximumPixelCount: 1 << 18)
    _ = try? PNGText.notes(in: bytes)
    let image = try Image(decoding: bytes, limits: limits)
    let again = try Image(decoding: try image.encoded(as: .png()), limits: limits)
    precondition(
      again.samples == image.samples && again.channels == image.channels,
      "a picture changed on the way through PNG")
  }

  private func readTar(_ bytes: [UInt8]) throws {
    let path = try onDisk(bytes)
    let limits = TarReader.Limits(memberByteCount: 1 << 20, memberCount: 1000)
    var places = TarReader.wholeMembers(of: path, limits: limits).members[...]
    let reader = try TarReader(path: path, limits: limits)
    while let member = try reader.next() {
      let content = try reader.bytes()
      guard let place = places.popFirst() else { continue }
      precondition(
        place.member == member && Array(bytes[place.range]) == content,
        "a member of a tar isn't where the index says")
    }
  }

  private func readConfiguration(_ bytes: [UInt8]) throws {
    _ = try? SchedulerConfiguration(parsing: bytes, source: "fuzzer")
    let fields = try ConfigurationFields(parsing: bytes, source: "fuzzer")
    _ = try? AutoencoderKL.Configuration(fields)
    _ = try? AutoencoderTiny.Configuration(fields)
    _ = try? AutoencoderCompact.Configuration(fields)
    _ = try? UNet2DModel.Configuration(fields)
  }

  private func readSettings(_ bytes: [UInt8]) throws {
    _ = try? TrainingSettings(decoding: bytes, source: "fuzzer")
    _ = try? DiffusionSettings(decoding: bytes, source: "fuzzer")
    let value = try JSONParser.parse(bytes)
    let again = try JSONParser.parse(Array(value.text.utf8))
    precondition(again == value, "JSON changed on the way through text")
  }

  private func readManifest(_ bytes: [UInt8]) throws {
    let folder = ManifestFolder(
      results: "/dev/shm/lvae-fuzzing-results-\(ProcessInfo.processInfo.processIdentifier)")
    guard let shard = Shard(index: 0, count: 1) else { return }
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(filePath: folder.manifest(of: shard)))
    var reader = try ManifestReader(of: shard, in: folder)
    while let record = try reader.next() {
      for path in [record.path, record.output ?? ""] {
        precondition(
          !path.hasPrefix("/") && !path.split(separator: "/").contains(".."),
          "a manifest leads out of its folder")
      }
    }
  }

  /// The path of a file with these bytes, always the same.
  private func onDisk(_ bytes: [UInt8]) throws -> String {
    let path = "/dev/shm/lvae-fuzzing-\(ProcessInfo.processInfo.processIdentifier)"
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }
}
