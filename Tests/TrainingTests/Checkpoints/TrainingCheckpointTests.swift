import Foundation
import Layers
import Pipelines
import Tensors
import TestSupport
import Testing
import Training

@Suite struct TrainingCheckpointTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private let architecture: JSONObject = [
    "_class_name": .string("Sample"), "channels": JSONValue(3),
  ]

  /// A run that has made some steps.
  private struct Run {
    var model = SampleModel(weight: sampleTensor([3, 5]), bias: sampleTensor([5], seed: 2))
    var optimizer = AdamW()
    var average = ExponentialMovingAverage(decay: 0.9)

    mutating func step() {
      let seed = UInt64(optimizer.stepCount + 10)
      optimizer.update(&model, learningRate: 0.01) { [model] path in
        path == weightPath
          ? sampleTensor(model.weight.shape, seed: seed)
          : sampleTensor(model.bias.shape, seed: seed + 100)
      }
      average.update(with: model)
    }

    func checkpoint(_ architecture: JSONObject) -> TrainingCheckpoint {
      var checkpoint = TrainingCheckpoint(
        step: optimizer.stepCount, settings: TrainingSettings().values, architecture: architecture)
      checkpoint.add(model)
      checkpoint.add(optimizer)
      checkpoint.add(average)
      return checkpoint
    }

    mutating func restore(_ checkpoint: TrainingCheckpoint) throws {
      try checkpoint.restore(&model)
      try checkpoint.restore(&optimizer)
      try checkpoint.restore(&average)
    }
  }

  private func newest(
    _ checkpoints: CheckpointFolder, settings: TrainingSettings = TrainingSettings(),
    notice: (String) -> Void = { _ in }
  ) throws -> TrainingCheckpoint? {
    try checkpoints.newest(settings: settings, architecture: architecture, notice: notice)
  }

  @Test func aRunGoesOnAsIfItHadNotStopped() throws {
    let checkpoints = CheckpointFolder(path: folder("checkpoints"))
    #expect(try newest(checkpoints) == nil)
    var run = Run()
    for _ in 0..<3 { run.step() }
    try checkpoints.save(run.checkpoint(architecture))
    var resumed = Run()
    let found = try #require(try newest(checkpoints))
    #expect(found.step == 3 && found.settings == TrainingSettings().values)
    try resumed.restore(found)
    for _ in 0..<2 {
      run.step()
      resumed.step()
    }
    #expect(resumed.model.weight.scalars == run.model.weight.scalars)
    #expect(resumed.model.bias.scalars == run.model.bias.scalars)
    #expect(
      resumed.average.averages[biasPath]?.scalars == run.average.averages[biasPath]?.scalars)
    #expect(resumed.average.updateCount == 5 && resumed.optimizer.stepCount == 5)
  }

  @Test func theLastFewAreKept() throws {
    let checkpoints = CheckpointFolder(path: folder.path)
    var run = Run()
    for _ in 0..<4 {
      run.step()
      try checkpoints.save(run.checkpoint(architecture))
    }
    #expect(
      try folder.names() == ["step-000000003.safetensors", "step-000000004.safetensors"])
    #expect(checkpoints.steps == [4, 3])
  }

  @Test func aTornFileIsPassedOver() throws {
    let checkpoints = CheckpointFolder(path: folder.path)
    var run = Run()
    run.step()
    try checkpoints.save(run.checkpoint(architecture))
    run.step()
    try checkpoints.save(run.checkpoint(architecture))
    let path = checkpoints.path(ofStep: 2)
    let whole = try Data(contentsOf: URL(filePath: path))
    for count in stride(from: 0, to: whole.count, by: 37) {
      try whole[..<count].write(to: URL(filePath: path))
      var notices: [String] = []
      #expect(try newest(checkpoints) { notices.append($0) }?.step == 1)
      #expect(notices.count == 1 && notices[0].contains(path))
    }
  }

  @Test func oneWrongBitIsNoticed() throws {
    let checkpoints = CheckpointFolder(path: folder.path)
    var run = Run()
    run.step()
    try checkpoints.save(run.checkpoint(architecture))
    let path = checkpoints.path(ofStep: 1)
    let whole = try Data(contentsOf: URL(filePath: path))
    for index in stride(from: whole.count - 1, to: 8, by: -101) {
      var damaged = whole
      damaged[index] ^= 1
      try damaged.write(to: URL(filePath: path))
      #expect(throws: TrainingCheckpointError.self, "byte \(index)") { try newest(checkpoints) }
    }
  }

  @Test func anotherRunIsRefusedAndTheDifferenceNamed() throws {
    let checkpoints = CheckpointFolder(path: folder.path)
    var run = Run()
    run.step()
    try checkpoints.save(run.checkpoint(architecture))
    var settings = TrainingSettings()
    settings.train.steps = 99
    #expect(try newest(checkpoints, settings: settings) != nil)
    settings.optimizer.learningRate = 0.25
    #expect(
      throws: TrainingCheckpointError.otherRun(
        path: checkpoints.path(ofStep: 1),
        differences: ["optimizer.learning_rate is 0.25, and was 0.0005"])
    ) { try newest(checkpoints, settings: settings) }
    #expect(
      throws: TrainingCheckpointError.otherRun(
        path: checkpoints.path(ofStep: 1),
        differences: ["the network's channels is 4, and was 3"])
    ) {
      try checkpoints.newest(
        settings: TrainingSettings(),
        architecture: ["_class_name": .string("Sample"), "channels": JSONValue(4)])
    }
  }

  @Test func anotherNetworkIsNotFilled() throws {
    let checkpoint = Run().checkpoint(architecture)
    var other = SampleModel(weight: Tensor(zeros: [3, 6]), bias: Tensor(zeros: [5]))
    #expect(
      throws: TrainingCheckpointError.missing(
        tensor: "model.weight", shape: [3, 6], found: [3, 5])
    ) { try checkpoint.restore(&other) }
    #expect(throws: TrainingCheckpointError.self) {
      try checkpoint.restore(&other, from: "discriminator")
    }
  }

  /// A checkpoint that can't be written whole leaves the one before it, and nothing else.
  @Test func aFailingWriteLeavesThePreviousCheckpoint() throws {
    let checkpoints = CheckpointFolder(path: folder.path)
    var run = Run()
    run.step()
    try checkpoints.save(run.checkpoint(architecture))
    run.step()
    // A folder stands where the file should go: the rename at the end fails.
    try folder.add("step-000000002.safetensors/inside")
    #expect(throws: FileError.self) { try checkpoints.save(run.checkpoint(architecture)) }
    #expect(try newest(checkpoints)?.step == 1)
    #expect(try folder.names().allSatisfy { !AtomicFile.isTemporary(name: $0) })
  }

  /// In a process that may write only so much, as `ulimit -f` and a full disk have it.
  @Test func aFullDiskLeavesThePreviousCheckpoint() async throws {
    let path = folder.path
    try CheckpointFolder(path: path).save(Self.large(step: 1))
    await #expect(processExitsWith: .success) { [path = path as String] in
      limitFileSize(to: 300_000)
      #expect(throws: FileError.self) {
        try CheckpointFolder(path: path).save(TrainingCheckpointTests.large(step: 2))
      }
    }
    #expect(try folder.names() == ["step-000000001.safetensors"])
    #expect(
      try CheckpointFolder(path: path).newest(settings: TrainingSettings(), architecture: [:])?
        .step == 1)
  }

  /// About 400 kB.
  private static func large(step: Int) -> TrainingCheckpoint {
    var checkpoint = TrainingCheckpoint(
      step: step, settings: TrainingSettings().values, architecture: [:])
    checkpoint.tensors["model.x"] = sampleTensor([100_000], seed: UInt64(step))
    return checkpoint
  }
}

/// From now on this process may write files of so many bytes at most.
private func limitFileSize(to byteCount: UInt) {
  var limit = rlimit(rlim_cur: byteCount, rlim_max: byteCount)
  unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
  signal(SIGXFSZ, SIG_IGN)
}
