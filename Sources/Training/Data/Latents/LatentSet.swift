import Foundation
public import LatentFiles
public import Models
import Pipelines
import Synchronization
import Tensors

/// The latents of a data set: `.latent` files of one autoencoder and one size.
public struct LatentSet: Sendable {
  /// Where the class of a latent is found.
  public enum Labels: Hashable, Sendable {
    /// Nowhere: there are no classes.
    case none
    /// In the name of the folder that the file lies in; files beside each other have no classes.
    case folders
    /// In a CSV file with a line for each file: its path below the folder, with any extension, and
    /// its class.
    case file(String)
  }

  /// The autoencoder that made them.
  public let model: LatentModel
  /// How many pixels a row or column of the latents stands for.
  public let spatialFactor: Int
  /// The latents' rows.
  public let height: Int
  /// The latents' columns.
  public let width: Int
  /// The latents' channels.
  public let channels: Int
  /// The paths below the folder, in their order.
  public let names: [String]
  /// The class of each latent, as a place in ``classNames``; nil without classes.
  public let labels: [Int]?
  /// The classes in alphabetical order.
  public let classNames: [String]
  private let files: [InputFile]
  private let cache: LatentCache

  /// From the autoencoder's space to the diffusion model's.
  public var scaling: LatentScaling {
    LatentScaling(
      factor: model.scalingFactor, shift: model.shiftFactor, mean: model.latentsMean,
      standardDeviation: model.latentsStd)
  }

  /// How many latents there are.
  public var count: Int { names.count }

  /// The latents in a folder, with all that is below it.
  ///
  /// All headers are read, and no latent.
  ///
  /// - Parameters:
  ///   - path: The folder.
  ///   - labels: Where classes are found.
  ///   - cacheByteCount: How much memory latents may take; what exceeds it is read again each time.
  /// - Throws: ``TrainingDataError`` if there are none, one can't be read, or one is of another
  ///   autoencoder, scaling or size than the first.
  public init(
    path: String, labels: Labels = .folders, cacheByteCount: Int = 1 << 30
  ) throws(TrainingDataError) {
    let list: InputList
    do {
      list = try InputWalker.expand([path], extensions: ["latent"])
    } catch {
      throw .notFound(path: path, reason: "\(error)")
    }
    if let failure = list.failures.first {
      throw .unreadable(name: failure.path, reason: failure.reason)
    }
    files = list.files
    guard let first = files.first else { throw .noLatents(path: path) }
    let header = try Self.header(of: first)
    model = header.metadata.model
    spatialFactor = header.metadata.spatialFactor
    (height, width, channels) = (header.height, header.width, header.channelCount)
    names = files.map(\.relativePath)
    for file in files.dropFirst() {
      try Self.check(try Self.header(of: file), of: file, against: header, of: first)
    }
    let found = try LatentLabels(labels, names: names)
    (self.labels, classNames) = (found.labels, found.classNames)
    cache = LatentCache(byteCount: cacheByteCount)
  }

  private static func header(of file: InputFile) throws(TrainingDataError) -> LatentHeader {
    do {
      return try LatentFile.readHeader(contentsOf: file.url)
    } catch {
      throw .unreadable(name: file.path, reason: "\(error)")
    }
  }

  private static func check(
    _ header: LatentHeader, of file: InputFile, against expected: LatentHeader, of first: InputFile
  ) throws(TrainingDataError) {
    for (property, describe) in Self.properties {
      let (found, expected) = (describe(header), describe(expected))
      guard found == expected else {
        throw .otherLatent(
          name: file.path, property: property, found: found, first: first.path, expected: expected)
      }
    }
  }

  /// What all latents of a data set must have in common.
  private static let properties: [(name: String, describe: @Sendable (LatentHeader) -> String)] = [
    ("autoencoder", { $0.metadata.model.sha256 }),
    ("scaling factor", { "\($0.metadata.model.scalingFactor)" }),
    ("shift factor", { "\($0.metadata.model.shiftFactor)" }),
    ("mean of the channels", { $0.metadata.model.latentsMean?.description ?? "not known" }),
    ("deviation of the channels", { $0.metadata.model.latentsStd?.description ?? "not known" }),
    ("size", { "\($0.channelCount) channels of \($0.width)×\($0.height)" }),
  ]

  /// A latent.
  ///
  /// - Returns: the posterior, or what was stored of it as its mean, `[1, H, W, C]`, in the
  ///   autoencoder's space.
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  public func latent(at index: Int) throws(TrainingDataError) -> DiagonalGaussianDistribution {
    let tensor: Tensor
    if let known = cache[index] { tensor = known } else { tensor = try read(index) }
    return tensor.shape[3] == channels
      ? DiagonalGaussianDistribution(mean: tensor, logVariance: nil)
      : DiagonalGaussianDistribution(moments: tensor)
  }

  private func read(_ index: Int) throws(TrainingDataError) -> Tensor {
    let file = files[index]
    do {
      let tensor = try LatentFile(contentsOf: file.url).latent.dequantized()
      guard tensor.isFinite else {
        throw CodecError.nonFiniteLatents(model: model.name)
      }
      cache.add(tensor, at: index)
      return tensor
    } catch {
      throw .unreadable(name: file.path, reason: "\(error)")
    }
  }
}

/// Latents in memory, as many as fit; what is in stays.
private final class LatentCache: Sendable {
  private struct State {
    var tensors: [Int: Tensor] = [:]
    var freeByteCount: Int
  }

  private let state: Mutex<State>

  init(byteCount: Int) {
    state = Mutex(State(freeByteCount: byteCount))
  }

  subscript(index: Int) -> Tensor? { state.withLock { $0.tensors[index] } }

  func add(_ tensor: Tensor, at index: Int) {
    let byteCount = tensor.shape.scalarCount * MemoryLayout<Float>.stride
    state.withLock { state in
      guard byteCount <= state.freeByteCount, state.tensors[index] == nil else { return }
      state.tensors[index] = tensor
      state.freeByteCount -= byteCount
    }
  }
}
