import Foundation
import Pipelines
import Synchronization
import Tensors
import Testing

/// What a test's stages note.
private final class Notes: Sendable {
  private let state = Mutex((underWay: 0, peak: 0, order: [String]()))

  func begin() {
    state.withLock {
      $0.underWay += 1
      $0.peak = max($0.peak, $0.underWay)
    }
  }
  func end() { state.withLock { $0.underWay -= 1 } }
  func note(_ text: String) { state.withLock { $0.order.append(text) } }
  var peak: Int { state.withLock { $0.peak } }
  var order: [String] { state.withLock { $0.order } }
}

private struct Broken: Error {}

@Suite struct StagePipelineTests {
  /// Takes numbers through stages of random length; notes outcomes.
  private func run(
    _ count: Int, _ pipeline: StagePipeline, stop: StopFlag = StopFlag(), notes: Notes = Notes(),
    stage: @escaping @Sendable (Stage, Int) throws -> Void = { _, _ in usleep(.random(in: 0..<900))
    }
  ) -> StageReport {
    pipeline.run(
      Array(0..<count), stop: stop, isUpToDate: { $0 % 10 == 9 },
      read: {
        notes.begin()
        try stage(.read, $0)
        return $0
      },
      compute: { item, loaded in
        try stage(.compute, item)
        return loaded * 2
      },
      write: { item, computed in
        try stage(.write, item)
        return computed + 1
      },
      report: { item, outcome in
        switch outcome {
        case .done(let output):
          notes.end()
          notes.note("\(item):\(output)")
        case .upToDate: notes.note("\(item):same")
        case .failed(let stage, _):
          notes.end()
          notes.note("\(item):\(stage)")
        }
      })
  }

  @Test(arguments: [
    StagePipeline(readers: 1, computers: 1, writers: 1, window: 1), StagePipeline(),
    StagePipeline(readers: 4, computers: 3, writers: 3, window: 5),
    StagePipeline(readers: 8, computers: 1, writers: 8),
  ])
  func outcomesComeInOrderAndTheWindowHolds(_ pipeline: StagePipeline) {
    let notes = Notes()
    let report = run(200, pipeline, notes: notes)
    #expect(notes.order == (0..<200).map { $0 % 10 == 9 ? "\($0):same" : "\($0):\($0 * 2 + 1)" })
    #expect(notes.peak <= pipeline.window)
    #expect(report.done == 180 && report.upToDate == 20)
    #expect(report.failed == 0 && report.unfinished == 0)
  }

  @Test func noItemsAreNoWork() {
    let report = run(0, StagePipeline())
    #expect(report.done == 0 && report.bottleneck == nil)
  }

  @Test func anItemThatFailsStopsNoOther() {
    let notes = Notes()
    let report = run(100, StagePipeline(readers: 3, computers: 2, writers: 2), notes: notes) {
      if $1 == 7 && $0 == .read || $1 == 0 && $0 == .compute || $1 == 98 && $0 == .write {
        throw Broken()
      }
    }
    #expect(report.failed == 3 && report.done == 87 && report.upToDate == 10)
    #expect(notes.order.count == 100)
    #expect(notes.order[0] == "0:compute" && notes.order[7] == "7:read")
    #expect(notes.order[98] == "98:write")
  }

  @Test func allItemsMayFail() {
    let report = run(50, StagePipeline()) { stage, _ in if stage == .read { throw Broken() } }
    #expect(report.failed == 45 && report.upToDate == 5)
  }

  @Test(arguments: [1, 3])
  func stoppingFinishesTheItemInHandAndBeginsNoOther(computers: Int) {
    let stop = StopFlag()
    let notes = Notes()
    let pipeline = StagePipeline(readers: 2, computers: computers, writers: 2)
    let report = run(100, pipeline, stop: stop, notes: notes) { stage, item in
      if stage == .compute && item == 20 { stop.set() }
      usleep(200)
    }
    let over = report.done + report.upToDate
    #expect(over >= 19 && over <= 20 + computers + pipeline.window)
    #expect(report.unfinished == 100 - over && report.failed == 0)
    #expect(notes.order.contains("20:41"))
    #expect(notes.order.map { Int($0.prefix { $0 != ":" }) ?? -1 }.isSorted)
  }

  @Test func aRunThatIsStoppedBeforeItBeginsDoesNothing() {
    let stop = StopFlag()
    stop.set()
    let report = run(10, StagePipeline(), stop: stop)
    #expect(report.done == 0 && report.unfinished == 10)
  }

  @Test func theSlowestStageIsNamed() {
    for slowest in Stage.allCases {
      let report = run(20, StagePipeline(readers: 2, writers: 2)) { stage, _ in
        usleep(stage == slowest ? 6000 : 200)
      }
      #expect(report.bottleneck == slowest)
      #expect(report.busy[slowest, default: .zero] >= .milliseconds(18 * 6))
    }
  }

  @Test func stagesOverlap() {
    let report = run(50, StagePipeline(readers: 1, writers: 1)) { _, _ in usleep(4000) }
    let work = report.busy.values.reduce(.zero, +)
    #expect(report.elapsed < work * 0.8)
  }

  @Test func oneComputerIsTheCallingThreadAndAllUseItsPool() {
    let pool = ThreadPool(threadCount: 1)
    let caller = pthread_self()
    let notes = Notes()
    ThreadPool.$current.withValue(pool) {
      _ = run(20, StagePipeline()) { stage, _ in
        if ThreadPool.current !== pool { notes.note("another pool") }
        if stage == .compute && pthread_equal(pthread_self(), caller) == 0 {
          notes.note("another thread")
        }
      }
    }
    #expect(notes.order == [])
  }

  @Test func tenThousandSmallItemsAreQuick() {
    let report = run(10_000, StagePipeline(readers: 4, writers: 4)) { _, _ in }
    #expect(report.done == 9000)
    #expect(report.elapsed < .seconds(5))
  }
}

extension [Int] {
  fileprivate var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0 < $1 } }
}
