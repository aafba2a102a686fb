import Foundation
import TestSupport
import Testing

/// Training with several processes, which Open MPI's `mpirun` starts.
@Suite struct ParallelTrainingTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    for number in 0..<8 {
      try work.add("data/\(number % 2)/\(number).png", samplePicture(32, 32, seed: UInt64(number)))
    }
    try TrainingRuns.autoencoderSettings.replacing([
      "data": ["batch_size": 4, "validation_fraction": 0], "objective": ["kl_weight": 0.01],
      "train": ["steps": 6, "sample_every": 0, "threads": 1],
    ]).write(to: work.url("run.json"))
  }

  static let mpirun = path(ofProgram: "mpirun")

  /// `lvae` with these arguments, in several processes.
  private func start(
    processes: Int, _ arguments: String
  ) throws -> (process: Process, result: () throws -> Run) {
    let launch =
      processes > 1 ? "mpirun --allow-run-as-root --oversubscribe -n \(processes) " : ""
    return try work.start(
      ["-c", "exec \(launch)$LVAE \(arguments)"], program: URL(filePath: "/bin/bash"))
  }

  private func numbers(_ key: String, of model: String) throws -> [Double] {
    let lines = String(decoding: try work.bytes("\(model)/training/log.jsonl"), as: UTF8.self)
    return try lines.split(separator: "\n").compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return (object as? [String: Any])?[key] as? Double
    }
  }

  /// The relative difference that summing in another order makes, with room for what Adam makes of
  /// gradients near zero.
  private func expectEqualRuns(_ one: String, _ other: String, steps: Int) throws {
    for key in ["loss", "gradient_norm"] {
      let (a, b) = (try numbers(key, of: one), try numbers(key, of: other))
      #expect(a.count == steps && b.count == steps)
      for (a, b) in zip(a, b) { #expect(abs(a - b) <= 2e-4 * abs(a), "\(key): \(a) and \(b)") }
    }
    #expect(
      abs(try numbers("loss", of: one)[0] - numbers("loss", of: other)[0])
        <= 2e-6 * abs(try numbers("loss", of: one)[0]))
  }

  @Test(.enabled(if: mpirun != nil, "skipped: needs mpirun (Debian: openmpi-bin)"))
  func anyNumberOfProcessesTrainsAsOneDoes() throws {
    for count in [1, 2, 4] {
      let run = try start(
        processes: count, "train data -o by\(count) --config run.json"
      ).result()
      #expect(run.status == 0, "\(run.errors)")
      #expect(try numbers("wait_ms", of: "by\(count)").count == (count == 1 ? 0 : 6))
    }
    try expectEqualRuns("by1", "by2", steps: 6)
    try expectEqualRuns("by1", "by4", steps: 6)
  }

  @Test(.enabled(if: mpirun != nil, "skipped: needs mpirun (Debian: openmpi-bin)"))
  func denoisersToo() throws {
    let encoding = try work.lvae(
      "encode", "data", "-o", "latents", "--model", "kl", "--posterior", "moments")
    #expect(encoding.status == 0, "\(encoding.errors)")
    try TrainingRuns.denoiserSettings.replacing([
      "data": ["validation_fraction": 0], "objective": ["label_dropout": 0.5],
      "train": ["steps": 5, "sample_every": 0, "threads": 1],
    ]).write(to: work.url("unet.json"))
    for count in [1, 2] {
      let run = try start(
        processes: count, "diffuse-train latents -o by\(count) --config unet.json"
      ).result()
      #expect(run.status == 0, "\(run.errors)")
    }
    try expectEqualRuns("by1", "by2", steps: 5)
  }

  @Test(.enabled(if: mpirun != nil, "skipped: needs mpirun (Debian: openmpi-bin)"))
  func aDeadProcessEndsTheJobAndItsCheckpointIsGood() throws {
    let command = "train data -o model --config run.json --set train.steps=100000"
    let (job, result) = try start(processes: 2, command)
    let checkpoint = "model/training/checkpoints"
    while job.isRunning, work.files(checkpoint).filter({ $0.hasPrefix("step-") }).isEmpty {
      usleep(5000)
    }
    let killing = try work.bash("pkill -KILL -o -P \(job.processIdentifier) lvae")
    #expect(killing.status == 0, "\(killing.errors)")
    let run = try result()
    #expect(run.status != 0 && run.errors.contains("signal 9"), "\(run.errors)")
    let step = try #require(
      work.files(checkpoint).compactMap { Int($0.dropFirst(5).prefix { $0 != "." }) }.max())
    let again = try start(
      processes: 1, "train data -o model --config run.json --set train.steps=\(step + 3)"
    ).result()
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.contains("going on after step \(step)"))
  }

  @Test(.enabled(if: mpirun != nil, "skipped: needs mpirun (Debian: openmpi-bin)"))
  func whatSeveralCannotFollowIsRefused() throws {
    let uneven = try start(processes: 3, "train data -o model --config run.json").result()
    #expect(uneven.status == 2 && uneven.errors.contains("which 3 processes can't share evenly"))
    let whole = try start(
      processes: 2, "train data -o model --config run.json --set objective.free_bits=0.1"
    ).result()
    #expect(whole.status == 2)
    #expect(whole.errors.contains("objective.free_bits needs the whole batch in one process"))
    #expect(!work.exists("model/settings.json"))
  }

  /// As where the library is another version than the mpirun that started the processes: each would
  /// train alone, and all write into one folder.
  @Test(.enabled(if: mpirun != nil, "skipped: needs Open MPI (Debian: openmpi-bin)"))
  func aLibraryThatDoesNotFindTheOthersIsRefused() throws {
    for variables in ["OMPI_COMM_WORLD_SIZE=2", "PMIX_RANK=0 SLURM_STEP_NUM_TASKS=2"] {
      try expectLost(variables)
    }
  }

  /// The same without Open MPI: a library that takes each process for one that runs alone.
  @Test(.enabled(if: compiler != nil, "skipped: needs a C compiler"))
  func aLibraryOfAnotherLauncherIsRefused() throws {
    try work.write([UInt8](Self.lonelyLibrary.utf8), to: "lonely.c")
    let build = try work.bash("\(Self.compiler ?? "") -shared -fPIC -o lonely.so lonely.c")
    #expect(build.status == 0, "\(build.errors)")
    for variables in [
      "OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_SIZE=2 PMIX_RANK=0",
      "PMIX_RANK=0 SLURM_STEP_NUM_TASKS=2", "PMIX_RANK=2",
    ] {
      try expectLost("\(variables) LVAE_LIBMPI=./lonely.so")
    }
    let alone = "PMIX_RANK=0 LVAE_LIBMPI=./lonely.so $LVAE train data -o alone --config run.json"
    let run = try work.bash("\(alone) --steps 1")
    #expect(run.status == 0, "\(run.errors)")
  }

  private func expectLost(_ variables: String) throws {
    let run = try work.bash("\(variables) $LVAE train data -o model --config run.json")
    #expect(run.status == 3, "\(variables): \(run.errors)")
    #expect(run.errors.contains("=2, and Open MPI's library finds 1 of"), "\(run.errors)")
    #expect(!work.exists("model"))
  }

  private static let compiler = path(ofProgram: "cc") ?? path(ofProgram: "clang")

  /// What of Open MPI `lvae` looks for, as it is in a process that nobody started.
  private static let lonelyLibrary = """
    void *ompi_mpi_comm_world, *ompi_mpi_float, *ompi_mpi_double, *ompi_mpi_op_sum;
    void *ompi_mpi_info_null;
    int MPI_Init_thread(int *count, char ***arguments, int wanted, int *provided) {
      *provided = wanted;
      return 0;
    }
    int MPI_Comm_rank(void *all, int *rank) { return *rank = 0; }
    int MPI_Comm_size(void *all, int *size) { *size = 1; return 0; }
    int MPI_Comm_split_type(void) { return 1; }
    int MPI_Comm_free(void) { return 0; }
    int MPI_Iallreduce(void) { return 1; }
    int MPI_Test(void) { return 1; }
    int MPI_Finalize(void) { return 0; }
    int MPI_Abort(void) { return 0; }
    """

  @Test func launchersThatCannotBeFollowedAreRefused() throws {
    let command = "$LVAE train data -o model --config run.json"
    for (variables, reason) in [
      ("OMPI_COMM_WORLD_SIZE=2 LVAE_LIBMPI=./none.so", "Open MPI's library can't be loaded"),
      ("PMIX_RANK=0 LVAE_LIBMPI=libz.so.1", "isn't Open MPI: it has no ompi_mpi_comm_world"),
      ("PMI_SIZE=2", "another MPI than Open MPI"),
    ] {
      let run = try work.bash("\(variables) \(command)")
      #expect(run.status == 3 && run.errors.contains(reason), "\(run.errors)")
    }
    #expect(!work.exists("model"))
    let alone = try work.bash("OMPI_COMM_WORLD_SIZE=1 \(command) --steps 1")
    #expect(alone.status == 0, "\(alone.errors)")
  }
}
