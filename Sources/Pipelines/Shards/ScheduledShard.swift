/// The part of the work that a job scheduler gives this process, by the environment's variables.
///
/// Two levels are told apart and multiplied: the job array that this job is one of (Slurm, PBS,
/// Kubernetes), and the tasks of this job (Open MPI, PMI, torchrun, srun).
package struct ScheduledShard: Equatable, Sendable {
  /// The part.
  package let shard: Shard
  /// What says so: `SLURM_PROCID=1 of SLURM_NTASKS=4`.
  package let origin: String

  /// A number and how many there are of it.
  private struct Level {
    var index: Int
    var count: Int
    var origin: String
  }

  /// What the environment says.
  ///
  /// - Parameters:
  ///   - environment: The process's variables.
  ///   - arrayCount: How many jobs the array has, where no variable tells: Kubernetes and PBS don't.
  /// - Returns: The part; nil if no scheduler is known, or there is one part only.
  /// - Throws: ``ShardError`` if the variables contradict each other, or don't tell how many parts
  ///   there are.
  package static func find(
    in environment: [String: String], arrayCount: Int? = nil
  ) throws(ShardError) -> ScheduledShard? {
    let task = try task(environment)
    let array = try array(environment, count: arrayCount)
    if array == nil, let arrayCount, let task, task.count != arrayCount {
      throw .contradiction("--shard auto/\(arrayCount) and \(task.origin)")
    }
    let levels = [array, task].compactMap { $0 }
    guard !levels.isEmpty else { return nil }
    let (count, overflow) = levels.reduce((1, false)) { product, level in
      let (value, overflow) = product.0.multipliedReportingOverflow(by: level.count)
      return (value, product.1 || overflow)
    }
    let index = levels.reduce(0) { overflow ? 0 : $0 * $1.count + $1.index }
    let origin = levels.map(\.origin).joined(separator: ", ")
    guard !overflow, let shard = Shard(index: index, count: count) else {
      throw .contradiction(origin)
    }
    return shard.count == 1 ? nil : ScheduledShard(shard: shard, origin: origin)
  }

  // MARK: Tasks of one job

  private static func task(_ environment: [String: String]) throws(ShardError) -> Level? {
    var pairs = [
      ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"),
      ("RANK", "WORLD_SIZE"),
    ]
    // Slurm's batch script itself is no task, though it has a number: srun starts those.
    if environment["SLURM_JOB_ID"] == nil || environment["SLURM_STEP_ID"] != nil {
      let isStep = environment["SLURM_STEP_NUM_TASKS"] != nil
      pairs.append(("SLURM_PROCID", isStep ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS"))
    }
    for (rank, size) in pairs {
      // One without the other is somebody else's variable.
      guard let index = environment[rank], let count = environment[size] else { continue }
      return try level(index, of: count, "\(rank)=\(index) of \(size)=\(count)")
    }
    return nil
  }

  private static func level(
    _ index: String, of count: String, _ origin: String
  ) throws(ShardError) -> Level {
    guard let index = Int(index), let count = Int(count), Shard(index: index, count: count) != nil
    else { throw .contradiction(origin) }
    return Level(index: index, count: count, origin: origin)
  }

  // MARK: Job arrays

  private static func array(
    _ environment: [String: String], count: Int?
  ) throws(ShardError) -> Level? {
    if let task = environment["SLURM_ARRAY_TASK_ID"] {
      return try slurmArray(task, environment, count: count)
    }
    for name in ["JOB_COMPLETION_INDEX", "PBS_ARRAY_INDEX"] {
      guard let index = environment[name] else { continue }
      guard let count else { throw .unknownCount("\(name)=\(index)") }
      return try level(index, of: String(count), "\(name)=\(index) of \(count)")
    }
    return nil
  }

  private static func slurmArray(
    _ task: String, _ environment: [String: String], count given: Int?
  ) throws(ShardError) -> Level {
    func number(_ suffix: String) -> Int? {
      environment["SLURM_ARRAY_TASK_\(suffix)"].flatMap { Int($0) }
    }
    let origin = "SLURM_ARRAY_TASK_ID=\(task)"
    guard let index = Int(task) else { throw .contradiction(origin) }
    if let given { return try level(task, of: String(given), "\(origin) of \(given)") }
    let (first, step) = (number("MIN") ?? 0, number("STEP") ?? 1)
    let last = number("MAX")
    guard let count = number("COUNT") ?? last.map({ ($0 - first) / max(1, step) + 1 }) else {
      throw .unknownCount(origin)
    }
    // An array such as 1,5,9-12 has no even steps.
    let isEven =
      step > 0 && index >= first && (index - first).isMultiple(of: step)
      && (last.map { ($0 - first) / step + 1 == count } ?? true)
    guard isEven, Shard(index: (index - first) / step, count: count) != nil else {
      throw .unevenArray(origin)
    }
    return Level(
      index: (index - first) / step, count: count,
      origin: "\(origin) of SLURM_ARRAY_TASK_COUNT=\(count)")
  }
}

/// Why it isn't known which part of the work is meant.
package enum ShardError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No scheduler's variables are there.
  case noScheduler
  /// A scheduler says which part, and not of how many.
  case unknownCount(String)
  /// The variables can't be true together.
  case contradiction(String)
  /// The jobs of an array aren't numbered in even steps.
  case unevenArray(String)

  package var description: String {
    switch self {
    case .noScheduler:
      "--shard auto: none of the variables of Slurm, MPI, torchrun, Kubernetes or PBS is set that "
        + "tell which part of the work this process has; say it with --shard i/N"
    case .unknownCount(let origin):
      "\(origin) says which part of the work this is, but not of how many; give --shard auto/N, or "
        + "--shard none for all inputs"
    case .contradiction(let origin):
      "\(origin) is no part of a whole, counted from 0; give --shard i/N, or --shard none for all "
        + "inputs"
    case .unevenArray(let origin):
      "\(origin) belongs to a job array with uneven steps, such as one that repeats some jobs; give "
        + "--shard i/N with the N of the whole array, or --shard none for all inputs"
    }
  }
}
