import ArgumentParser
import Foundation
import Pipelines

/// What `--shard` says.
enum ShardArgument: Equatable {
  /// All inputs, whatever the environment says.
  case none
  /// What the environment says; how many jobs an array has, where it doesn't say that.
  case auto(arrayCount: Int?)
  /// This part.
  case part(Shard)

  init(_ text: String) throws {
    if text == "none" {
      self = .none
    } else if text == "auto" {
      self = .auto(arrayCount: nil)
    } else if text.hasPrefix("auto/"), let count = Int(text.dropFirst(5)),
      Shard(index: 0, count: count) != nil
    {
      self = .auto(arrayCount: count)
    } else if let shard = Shard(text) {
      self = .part(shard)
    } else {
      throw ValidationError(
        "--shard \(text): i/N is expected with i from 0 to N − 1, such as 0/4, 1/4, 2/4 and 3/4 "
          + "for four machines; or auto, auto/N, or none")
    }
  }
}

/// How several processes share the inputs.
struct ShardOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only part i of N, from 0, by a hash of each input's relative path; a manifest of it goes to "
        + ".lvae in the output folder, for `lvae merge`. Without it, the part is taken from the "
        + "variables of Slurm, MPI, torchrun, Kubernetes or PBS if they are set, and standard error "
        + "says so; auto insists on them, auto/N gives the size of an array that doesn't tell it, "
        + "none takes all inputs.",
      valueName: "i/N|auto|auto/N|none"),
    transform: ShardArgument.init)
  var shard: ShardArgument?

  @Flag(
    help: ArgumentHelp(
      "Share the inputs with all processes that run the same command, however many there are: each "
        + "claims parts that no other has, and takes over those of processes that died."))
  var claim = false

  @Option(
    help: ArgumentHelp(
      "With --claim: after how many seconds without a sign of life of its process a part is taken "
        + "over, longer than the file system's caches last.", valueName: "s"))
  var lease = 120.0

  func validate() throws {
    if claim, let shard, shard != .none {
      throw ValidationError("--claim shares the inputs by itself; leave out --shard")
    }
    if !(lease >= 1 && lease <= 86400) {
      throw ValidationError("--lease \(lease): a number of seconds from 1 to 86400 is expected")
    }
  }

  /// Which inputs are worked on.
  enum Selection {
    case all
    case part(Shard)
    case claims
  }

  /// What the options and the environment say; a part that the environment gave is told to `notice`.
  func selection(
    _ environment: [String: String] = ProcessInfo.processInfo.environment,
    notice: (String) -> Void
  ) throws -> Selection {
    if claim { return .claims }
    var arrayCount: Int?
    switch shard {
    case .some(.none): return .all
    case .part(let shard): return .part(shard)
    case .auto(let count): arrayCount = count
    case nil: break
    }
    guard let found = try ScheduledShard.find(in: environment, arrayCount: arrayCount) else {
      if shard != nil, environment.keys.allSatisfy({ !Self.variables.contains($0) }) {
        throw ShardError.noScheduler
      }
      return .all
    }
    notice("lvae: shard \(found.shard) by \(found.origin); --shard none takes all inputs")
    return .part(found.shard)
  }

  private static let variables: Set = [
    "OMPI_COMM_WORLD_RANK", "PMI_RANK", "RANK", "SLURM_PROCID", "SLURM_ARRAY_TASK_ID",
    "JOB_COMPLETION_INDEX", "PBS_ARRAY_INDEX",
  ]
}
