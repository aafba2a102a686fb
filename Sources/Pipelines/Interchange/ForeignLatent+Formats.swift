import Foundation
import LatentFiles
package import Models
import Tensors

extension ForeignLatent {
  // MARK: Writing

  /// The bytes of a file in another program's format: float32, channels first.
  ///
  /// - Parameter format: Which.
  /// - Returns: The file.
  /// - Throws: `SafetensorsError`.
  package func encoded(as format: Format) throws -> [UInt8] {
    switch format {
    case .kohyaNPZ: kohyaArchive
    case .npy:
      NumPyArray.encoded(Self.planes(stacked), shape: Self.planarShape(stacked))
    case .safetensors:
      try Safetensors.encoded(tensors: namedTensors, metadata: notes)
    }
  }

  /// As sd-scripts' `save_latents_to_disk`, with the suffix of a cache of several resolutions.
  private var kohyaArchive: [UInt8] {
    let suffix = "_\(latent.shape[1])x\(latent.shape[2])"
    let size = pictureSize.map { [$0.width, $0.height] } ?? []
    var archive = ZipArchive()
    archive.add(
      "latents\(suffix).npy",
      NumPyArray.encoded(Self.planes(latent), shape: Self.planarShape(latent)))
    archive.add("original_size\(suffix).npy", NumPyArray.encoded(originalSize ?? size))
    archive.add("crop_ltrb\(suffix).npy", NumPyArray.encoded(crop ?? [0, 0] + size))
    return archive.encoded
  }

  private var stacked: Tensor {
    deviation.map { latent.concatenatedChannels(with: $0) } ?? latent
  }

  private static func planes(_ tensor: Tensor) -> Tensor { tensor.channelsFirst() }

  private static func planarShape(_ tensor: Tensor) -> [Int] {
    [tensor.shape[3], tensor.shape[1], tensor.shape[2]]
  }

  private var namedTensors: [(name: String, tensor: Tensor)] {
    func planar(_ tensor: Tensor) -> Tensor {
      Tensor(Self.planes(tensor).scalars, shape: Shape(Self.planarShape(tensor)))
    }
    var tensors = [(name: Self.latentName, tensor: planar(latent))]
    if let deviation { tensors.append((name: Self.deviationName, tensor: planar(deviation))) }
    return tensors
  }

  private static let arrayName = "latents"
  private static let latentName = "latent"
  private static let deviationName = "std"

  private enum Note {
    static let weights = "weights_sha256"
    static let values = "values"
    static let width = "picture_width"
    static let height = "picture_height"
    static let scaled = "scaled"
  }

  private var notes: [String: String] {
    var notes = [Note.values: values?.rawValue ?? LatentMetadata.Values.mean.rawValue]
    notes[Note.weights] = weights
    if isScaled { notes[Note.scaled] = "true" }
    if let pictureSize {
      notes[Note.width] = "\(pictureSize.width)"
      notes[Note.height] = "\(pictureSize.height)"
    }
    return notes
  }

  // MARK: Reading

  /// Reads a file of another program.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - format: Its format.
  ///   - channels: The channels of the latent; an array with twice as many has deviations, too.
  ///   - array: Which array of an archive that holds several is meant.
  /// - Throws: ``InterchangeError``, `SafetensorsError`.
  package init(
    decoding bytes: [UInt8], as format: Format, channels: Int, array: String? = nil
  ) throws {
    switch format {
    case .kohyaNPZ: try self.init(kohya: ZipArchive(decoding: bytes), array: array)
    case .npy:
      let tensor = try Self.latent(NumPyArray(decoding: bytes).tensor(), of: format)
      if tensor.shape[3] == 2 * channels {
        self.init(latent: tensor.channels(0..<channels))
        deviation = tensor.channels(channels..<2 * channels)
      } else {
        self.init(latent: tensor)
      }
    case .safetensors: try self.init(Safetensors(decoding: bytes), array: array)
    }
    guard latent.isFinite, deviation?.isFinite != false else {
      throw InterchangeError.damaged(
        format: format.rawValue, reason: "it holds infinite or undefined numbers")
    }
  }

  private init(kohya archive: ZipArchive, array: String?) throws {
    let arrays = Dictionary(
      archive.members.map { (PathText.removingExtension($0.name, of: ["npy"]), $0.bytes) }
    ) { first, _ in first }
    let prefix = Self.arrayName
    // latents_flipped_HxW are of the mirrored picture.
    let names = arrays.keys.filter {
      $0 == prefix || $0.hasPrefix("\(prefix)_") && !$0.hasPrefix("\(prefix)_flipped")
    }.sorted()
    let chosen = array ?? (names.count == 1 ? names[0] : nil)
    guard let chosen, let bytes = arrays[chosen] else {
      throw InterchangeError.latents(found: names)
    }
    self.init(latent: try Self.latent(NumPyArray(decoding: bytes).tensor(), of: .kohyaNPZ))
    values = .sample
    let suffix = chosen.hasPrefix(prefix) ? chosen.dropFirst(prefix.count) : ""
    func numbers(_ name: String, count: Int) throws -> [Int]? {
      guard let bytes = arrays[name + suffix] else { return nil }
      guard let numbers = try NumPyArray(decoding: bytes).integers, numbers.count == count else {
        throw InterchangeError.damaged(
          format: Format.kohyaNPZ.rawValue, reason: "\(name)\(suffix) isn't \(count) whole numbers")
      }
      return numbers
    }
    originalSize = try numbers("original_size", count: 2)
    crop = try numbers("crop_ltrb", count: 4)
  }

  private init(_ file: Safetensors, array: String?) throws {
    let name = array ?? Self.latentName
    guard file.entry(named: name) != nil else {
      throw InterchangeError.latents(found: array == nil ? [] : file.names)
    }
    self.init(latent: try Self.latent(file.tensor(named: name), of: .safetensors))
    if file.entry(named: Self.deviationName) != nil {
      let deviation = try Self.latent(file.tensor(named: Self.deviationName), of: .safetensors)
      guard deviation.shape == latent.shape else {
        throw InterchangeError.damaged(
          format: Format.safetensors.rawValue, reason: "std has not the shape of latent")
      }
      self.deviation = deviation
    }
    values = file.metadata[Note.values].flatMap { LatentMetadata.Values(rawValue: $0) }
    weights = file.metadata[Note.weights]
    isScaled = file.metadata[Note.scaled] == "true"
    if let width = file.metadata[Note.width].flatMap({ Int($0) }),
      let height = file.metadata[Note.height].flatMap({ Int($0) })
    {
      pictureSize = (width, height)
    }
  }

  /// `[1, h, w, C]` of an array C×h×w or 1×C×h×w.
  private static func latent(_ tensor: Tensor, of format: Format) throws -> Tensor {
    var lengths = tensor.shape.dimensions
    if lengths.count == 4, lengths[0] == 1 { lengths.removeFirst() }
    guard lengths.count == 3, !lengths.contains(0) else {
      throw InterchangeError.unsupported(
        format: format.rawValue,
        reason: "the latent's shape is \(tensor.shape.dimensions), and channels×height×width is "
          + "expected")
    }
    return Tensor(tensor.scalars, shape: Shape([1] + lengths)).channelsLast()
  }

  static func logVariance(ofDeviation deviation: Float) -> Float {
    deviation > 0 ? 2 * log(deviation) : -30
  }

  // MARK: Scaling

  /// The latent as a denoiser takes it: shifted and scaled.
  package func toDiffusion(_ scaling: LatentScaling) -> ForeignLatent {
    scaled(true, scaling.toDiffusion)
  }

  /// The latent in the autoencoder's own range, from what a denoiser takes.
  package func toAutoencoder(_ scaling: LatentScaling) -> ForeignLatent {
    scaled(false, scaling.toAutoencoder)
  }

  /// `map` is affine: deviations keep its slope only.
  private func scaled(_ isScaled: Bool, _ map: (Tensor) -> Tensor) -> ForeignLatent {
    var result = self
    result.isScaled = isScaled
    result.latent = map(latent)
    result.deviation = deviation.map { map($0) - map(Tensor(zeros: $0.shape)) }
    return result
  }
}
