import Foundation
public import LatentFiles
public import Models
import Pipelines
import Synchronization
import Tensors

/// The latents of a data set: `.latent` files, and tar shards of them, of one autoencoder and one
/// size.
public struct LatentSet: Sendable {
  /// Where the class of a latent is found.
  public enum Labels: Hashable, Sendable {
    /// Nowhere: there are no classes.
    case none
    /// In a member `x.cls` of a shard for its member `x.latent`, or else in the name of the folder
    /// that the latent lies in, on disk or in the shard; those that lie in none have no classes.
    case folders
    /// In a CSV file with a line for each latent: its path below the folder or in the shard, with or
    /// without an extension, and its class.
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
  /// The paths below the folder, and behind that of a shard those of its members, in their order.
  public var names: [String] { places.map(\.key) }
  /// The class of each latent, as a place in ``classNames``; nil without classes.
  public private(set) var labels: [Int]?
  /// The classes in alphabetical order, or by value if all are whole numbers.
  public private(set) var classNames: [String]
  private let places: [LatentPlace]
  private let cache: LatentCache

  /// From the autoencoder's space to the diffusion model's.
  public var scaling: LatentScaling {
    LatentScaling(
      factor: model.scalingFactor, shift: model.shiftFactor, mean: model.latentsMean,
      standardDeviation: model.latentsStd)
  }

  /// How many latents there are.
  public var count: Int { places.count }

  /// The latents in folders, with all that is below them, and in tar shards.
  ///
  /// All headers are read, and no latent. A shard is a plain tar, as WebDataset makes them.
  ///
  /// - Parameters:
  ///   - paths: Folders, shards and files.
  ///   - labels: Where classes are found.
  ///   - cacheByteCount: How much memory latents may take; what exceeds it is read again each time.
  /// - Throws: ``TrainingDataError`` if there are none, one can't be read, or one is of another
  ///   autoencoder, scaling or size than the first.
  public init(
    paths: [String], labels: Labels = .folders, cacheByteCount: Int = 1 << 30
  ) throws(TrainingDataError) {
    var places: [LatentPlace] = []
    for file in try Self.files(paths) { places += try LatentPlace.all(in: file) }
    guard let first = places.first else {
      throw .noLatents(path: paths.joined(separator: ", "))
    }
    let header = try first.header()
    model = header.metadata.model
    spatialFactor = header.metadata.spatialFactor
    (height, width, channels) = (header.height, header.width, header.channelCount)
    for place in places.dropFirst() {
      try Self.check(try place.header(), of: place, against: header, of: first)
    }
    let found = try LatentLabels(
      labels,
      of: places.map { LabelledFile(name: $0.name, path: $0.path, className: $0.className) })
    (self.labels, classNames) = (found.labels, found.classNames)
    self.places = places
    cache = LatentCache(byteCount: cacheByteCount)
  }

  private static func files(_ paths: [String]) throws(TrainingDataError) -> [InputFile] {
    let list: InputList
    do throws(InputError) {
      list = try InputWalker.expand(paths, extensions: ["latent", "tar"])
    } catch {
      guard case .nothingFound(_, _, let failures) = error, let failure = failures.first else {
        throw .noLatents(path: paths.joined(separator: ", "))
      }
      throw .notFound(path: failure.path, reason: failure.reason)
    }
    if let failure = list.failures.first {
      throw .unreadable(name: failure.path, reason: failure.reason)
    }
    return list.files
  }

  private static func check(
    _ header: LatentHeader, of place: LatentPlace, against expected: LatentHeader,
    of first: LatentPlace
  ) throws(TrainingDataError) {
    for (property, describe) in Self.properties {
      let (found, expected) = (describe(header), describe(expected))
      guard found == expected else {
        throw .otherLatent(
          name: place.name, property: property, found: found, first: first.name,
          expected: expected)
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
    if let known = cache[index] {
      tensor = known
    } else {
      tensor = try places[index].read()
      cache.add(tensor, at: index)
    }
    return tensor.shape[3] == channels
      ? DiagonalGaussianDistribution(mean: tensor, logVariance: nil)
      : DiagonalGaussianDistribution(moments: tensor)
  }

  /// The same latents with labels that count other classes.
  ///
  /// - Parameter names: the classes that a denoiser knows, in the order of its labels.
  /// - Returns: the latents; nil if one is of a class that isn't among them, or only one side knows
  ///   of classes.
  func labelled(as names: [String]) -> LatentSet? {
    let places = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    let known = classNames.compactMap { places[$0] }
    guard known.count == classNames.count, classNames.isEmpty == names.isEmpty else { return nil }
    var result = self
    result.labels = labels?.map { known[$0] }
    result.classNames = names
    return result
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
