import Pipelines
import Testing

@Suite struct ShardTests {
  @Test func aShardIsReadFromItsText() {
    #expect(Shard("0/4") == Shard(index: 0, count: 4))
    #expect(Shard("3/4")?.description == "3/4")
    for text in ["4/4", "-1/4", "1", "1/", "/4", "1/4/2", "a/4", "0/0", "1/1000001", " 1/4", ""] {
      #expect(Shard(text) == nil, "\(text)")
    }
  }

  @Test func everyInputBelongsToOneShard() throws {
    for count in [1, 2, 3, 7, 64] {
      var sizes: [Int] = []
      for index in 0..<count {
        let shard = try #require(Shard(index: index, count: count))
        sizes.append((0..<6400).count { shard.contains("pictures/\($0).png") })
      }
      #expect(sizes.reduce(0, +) == 6400)
      // No part is much larger than the others.
      #expect((sizes.max() ?? 0) < 6400 / count + 5 * Int(Double(6400 / count).squareRoot()) + 1)
    }
  }

  /// From Python: int.from_bytes(sha256(path).digest()[:8], "big") % N.
  @Test func theHashNeverChanges() {
    let paths = ["a.png", "one/b.jpg", "one/two/c d.webp", "größe/ü.png"]
    #expect(paths.map { Shard.index(of: $0, among: 4) } == [0, 3, 3, 2])
    #expect(paths.map { Shard.index(of: $0, among: 1000) } == [672, 579, 763, 66])
  }

  // MARK: Schedulers

  private func find(
    _ variables: KeyValuePairs<String, String>, arrayCount: Int? = nil
  ) throws -> String? {
    let environment = Dictionary(uniqueKeysWithValues: variables.map { ($0, $1) })
    return try ScheduledShard.find(in: environment, arrayCount: arrayCount)?.shard.description
  }

  @Test func schedulersTellTheShard() throws {
    #expect(try find([:]) == nil)
    #expect(try find(["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"]) == "2/4")
    #expect(try find(["PMI_RANK": "0", "PMI_SIZE": "3"]) == "0/3")
    #expect(try find(["RANK": "7", "WORLD_SIZE": "8"]) == "7/8")
    #expect(try find(["SLURM_PROCID": "1", "SLURM_NTASKS": "4"]) == "1/4")
    #expect(
      try find([
        "SLURM_JOB_ID": "9", "SLURM_STEP_ID": "0", "SLURM_PROCID": "1", "SLURM_NTASKS": "8",
        "SLURM_STEP_NUM_TASKS": "2",
      ]) == "1/2")
    #expect(try find(["JOB_COMPLETION_INDEX": "3"], arrayCount: 8) == "3/8")
    #expect(try find(["PBS_ARRAY_INDEX": "3"], arrayCount: 4) == "3/4")
    #expect(
      try find([
        "SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "13",
        "SLURM_ARRAY_TASK_STEP": "4", "SLURM_ARRAY_TASK_COUNT": "4",
      ]) == "2/4")
  }

  @Test func tasksOfTheJobsOfAnArrayShareItsPart() throws {
    var seen: Set<String> = []
    for job in 0..<3 {
      for task in 0..<2 {
        let shard = try find([
          "SLURM_ARRAY_TASK_ID": "\(job + 5)", "SLURM_ARRAY_TASK_MIN": "5",
          "SLURM_ARRAY_TASK_MAX": "7", "SLURM_ARRAY_TASK_COUNT": "3",
          "SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_PROCID": "\(task)",
          "SLURM_NTASKS": "2",
        ])
        seen.insert(try #require(shard))
      }
    }
    #expect(seen == Set((0..<6).map { "\($0)/6" }))
  }

  @Test func whatSaysNothingIsLeftAlone() throws {
    // One process of one.
    #expect(try find(["SLURM_PROCID": "0", "SLURM_NTASKS": "1"]) == nil)
    // Half of a pair may be anybody's variable.
    #expect(try find(["RANK": "captain"]) == nil)
    #expect(try find(["WORLD_SIZE": "4"]) == nil)
    // The batch script itself is no task of its job: it would drop what belongs to the others.
    #expect(
      try find(["SLURM_JOB_ID": "9", "SLURM_PROCID": "0", "SLURM_NTASKS": "4"]) == nil)
  }

  @Test func contradictionsAreRefused() {
    #expect(throws: ShardError.self) { try find(["PMI_RANK": "4", "PMI_SIZE": "4"]) }
    #expect(throws: ShardError.self) { try find(["RANK": "x", "WORLD_SIZE": "4"]) }
    #expect(throws: ShardError.self) { try find(["RANK": "0", "WORLD_SIZE": "4"], arrayCount: 8) }
    #expect(throws: ShardError.unknownCount("JOB_COMPLETION_INDEX=3")) {
      try find(["JOB_COMPLETION_INDEX": "3"])
    }
    #expect(throws: ShardError.self) { try find(["JOB_COMPLETION_INDEX": "8"], arrayCount: 8) }
    // A repeated part of an array, 3,7 of 0-9.
    #expect(throws: ShardError.unevenArray("SLURM_ARRAY_TASK_ID=7")) {
      try find([
        "SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "7",
        "SLURM_ARRAY_TASK_COUNT": "2",
      ])
    }
  }
}
