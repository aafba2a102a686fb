import Synchronization
import Tensors

/// The three things that are done with each item.
package enum Stage: String, CaseIterable, Sendable, Codable {
  /// Reading and unpacking.
  case read
  /// The network.
  case compute
  /// Packing and writing.
  case write
}

/// What became of one item.
package enum StageOutcome<Output: Sendable>: Sendable {
  /// All stages are done; what the last one gave.
  case done(Output)
  /// The result was there already.
  case upToDate
  /// A stage threw.
  case failed(Stage, any Error)
}

/// Reading, computing and writing, each on threads of their own, so that they overlap.
///
/// Every stage starts items in the order of the input, and the outcomes are reported in that order.
/// At most ``window`` items are under way at once, which bounds the memory. An item that fails
/// doesn't stop the others. The threads are not those of Swift's tasks, where blocking work would
/// hold up timers.
package struct StagePipeline: Sendable {
  /// How many items are read at once.
  package var readers: Int
  /// How many items are computed at once: one if the computation uses all processors itself.
  package var computers: Int
  /// How many items are written at once: several hide the wait for the disk.
  package var writers: Int
  /// How many items may be between the start of their reading and their report.
  package var window: Int

  /// A pipeline.
  ///
  /// - Parameters:
  ///   - readers: How many items are read at once.
  ///   - computers: How many items are computed at once.
  ///   - writers: How many items are written at once.
  ///   - window: How many items may be under way; by default as many as keep all threads busy, and
  ///     one to spare.
  /// - Precondition: All are at least 1.
  package init(readers: Int = 2, computers: Int = 1, writers: Int = 2, window: Int? = nil) {
    let window = window ?? readers + computers + writers + 1
    precondition(
      min(readers, computers, writers, window) >= 1,
      "\(readers) readers, \(computers) computers, \(writers) writers, window \(window)")
    self.readers = readers
    self.computers = computers
    self.writers = writers
    self.window = window
  }

  /// Takes all items through the three stages.
  ///
  /// The calling thread computes and returns when all threads have ended. Loops in all stages use
  /// the caller's `ThreadPool.current`.
  ///
  /// - Parameters:
  ///   - items: What to work on.
  ///   - stop: When it is set, items that are being computed or written are finished, and no
  ///     others are begun.
  ///   - isUpToDate: Whether an item needs no work; asked by a reader before it reads.
  ///   - read: The first stage.
  ///   - compute: The second stage; with one computer, always called on the calling thread.
  ///   - write: The third stage.
  ///   - report: Told of each item's outcome: one at a time, in the order of the items, on any
  ///     thread. Not told of items that were not begun because of `stop`.
  /// - Returns: Counts and times.
  package func run<Item: Sendable, Loaded: Sendable, Computed: Sendable, Output: Sendable>(
    _ items: [Item], stop: StopFlag = StopFlag(),
    isUpToDate: @escaping @Sendable (Item) throws -> Bool = { _ in false },
    read: @escaping @Sendable (Item) throws -> Loaded,
    compute: @escaping @Sendable (Item, Loaded) throws -> Computed,
    write: @escaping @Sendable (Item, Computed) throws -> Output,
    report: @escaping @Sendable (Item, StageOutcome<Output>) -> Void
  ) -> StageReport {
    var pipeline = self
    pipeline.readers = min(readers, max(1, items.count))
    pipeline.computers = min(computers, max(1, items.count))
    pipeline.writers = min(writers, max(1, items.count))
    var report = pipeline.run(
      from: { $0 < items.count ? items[$0] : nil }, stop: stop, isUpToDate: isUpToDate, read: read,
      compute: compute, write: write, report: report)
    report.unfinished = items.count - report.done - report.upToDate - report.failed
    return report
  }

  /// Takes a stream of items, whose number isn't known before, through the three stages.
  ///
  /// - Parameters:
  ///   - next: Gives the item with a number, counted from 0, and nil after the last. It is asked for
  ///     one at a time and in order, on any thread, and may wait.
  ///   - stop: When it is set, no others are begun.
  ///   - isUpToDate: Whether an item needs no work.
  ///   - read: The first stage.
  ///   - compute: The second stage.
  ///   - write: The third stage.
  ///   - report: Told of each item's outcome, as in the other `run`.
  /// - Returns: Counts and times.
  package func run<Item: Sendable, Loaded: Sendable, Computed: Sendable, Output: Sendable>(
    from next: @escaping @Sendable (Int) -> Item?, stop: StopFlag = StopFlag(),
    isUpToDate: @escaping @Sendable (Item) throws -> Bool = { _ in false },
    read: @escaping @Sendable (Item) throws -> Loaded,
    compute: @escaping @Sendable (Item, Loaded) throws -> Computed,
    write: @escaping @Sendable (Item, Computed) throws -> Output,
    report: @escaping @Sendable (Item, StageOutcome<Output>) -> Void
  ) -> StageReport {
    let work = StageWork(
      next: next, window: window, stop: stop, isUpToDate: isUpToDate, read: read,
      compute: compute, write: write, report: report)
    let start = ContinuousClock.now
    let threads = WorkerThreads(stackSize: 8 << 20)
    for _ in 0..<readers { threads.start("lvae-read") { work.readAll() } }
    for _ in 0..<writers { threads.start("lvae-write") { work.writeAll() } }
    for _ in 1..<computers { threads.start("lvae-compute") { work.computeAll() } }
    work.computeAll()
    threads.join()
    var report = work.report
    report.elapsed = .now - start
    report.widths = [.read: readers, .compute: computers, .write: writers]
    return report
  }
}

/// What a run of a ``StagePipeline`` took.
package struct StageReport: Sendable {
  /// How many items went through all stages.
  package var done = 0
  /// How many needed no work.
  package var upToDate = 0
  /// How many failed.
  package var failed = 0
  /// How many were not finished, since the run was stopped.
  package var unfinished = 0
  /// How long the run took.
  package var elapsed = Duration.zero
  /// How long each stage's threads worked, added up; waiting for each other is left out.
  package var busy: [Stage: Duration] = [:]
  fileprivate var widths: [Stage: Int] = [:]

  package init() {}

  /// Adds what another run took.
  package mutating func add(_ other: StageReport) {
    done += other.done
    upToDate += other.upToDate
    failed += other.failed
    unfinished += other.unfinished
    elapsed += other.elapsed
    busy.merge(other.busy) { $0 + $1 }
    widths.merge(other.widths) { max($0, $1) }
  }

  /// The stage that the others waited for; nil if nothing was done.
  package var bottleneck: Stage? {
    let loads = Stage.allCases.compactMap { stage in
      busy[stage].map { (stage: stage, load: $0 / widths[stage, default: 1]) }
    }
    return loads.max { $0.load < $1.load }?.stage
  }
}

/// One run of a pipeline: which item is in which stage.
private final class StageWork<
  Item: Sendable, Loaded: Sendable, Computed: Sendable, Output: Sendable
>: Sendable {
  /// An item between the beginning of its reading and its report.
  enum Slot: Sendable {
    case busy
    case loaded(Loaded)
    case computed(Computed)
    case ended(StageOutcome<Output>)
    case dropped

    /// Whether later stages have nothing to do with it.
    var isOver: Bool {
      switch self {
      case .ended, .dropped: true
      default: false
      }
    }
  }

  struct State: Sendable {
    var slots: [Int: Slot] = [:]
    /// The items of the slots.
    var items: [Int: Item] = [:]
    /// The first item that each stage has not begun.
    var nextToRead = 0
    var nextToCompute = 0
    var nextToWrite = 0
    var nextToReport = 0
    /// Items from here on are not begun, or aren't there.
    var end = Int.max
    var isReporting = false
    var report = StageReport()
  }

  let next: @Sendable (Int) -> Item?
  /// Whose turn it is to take the next item; that may take long, so the state isn't locked.
  let turn = Mutex(())
  let window: Int
  let stop: StopFlag
  let isUpToDate: @Sendable (Item) throws -> Bool
  let read: @Sendable (Item) throws -> Loaded
  let compute: @Sendable (Item, Loaded) throws -> Computed
  let write: @Sendable (Item, Computed) throws -> Output
  let tell: @Sendable (Item, StageOutcome<Output>) -> Void
  let monitor = Monitor(State())

  init(
    next: @escaping @Sendable (Int) -> Item?, window: Int, stop: StopFlag,
    isUpToDate: @escaping @Sendable (Item) throws -> Bool,
    read: @escaping @Sendable (Item) throws -> Loaded,
    compute: @escaping @Sendable (Item, Loaded) throws -> Computed,
    write: @escaping @Sendable (Item, Computed) throws -> Output,
    report: @escaping @Sendable (Item, StageOutcome<Output>) -> Void
  ) {
    self.next = next
    self.window = window
    self.stop = stop
    self.isUpToDate = isUpToDate
    self.read = read
    self.compute = compute
    self.write = write
    tell = report
  }

  /// How it went, once all threads have ended.
  var report: StageReport {
    monitor.withLock { state in
      var report = state.report
      report.unfinished = state.nextToRead - report.done - report.upToDate - report.failed
      return report
    }
  }

  // MARK: The stages' threads

  func readAll() {
    while let (index, item) = nextToRead() {
      perform(.read, index) {
        if try isUpToDate(item) { return .ended(.upToDate) }
        return .loaded(try read(item))
      }
    }
  }

  func computeAll() {
    while let (index, item, loaded) = nextToCompute() {
      perform(.compute, index) { .computed(try compute(item, loaded)) }
    }
  }

  func writeAll() {
    while let (index, item, computed) = nextToWrite() {
      perform(.write, index) { .ended(.done(try write(item, computed))) }
    }
  }

  /// Does one stage of one item.
  private func perform(_ stage: Stage, _ index: Int, _ body: () throws -> Slot) {
    let start = ContinuousClock.now
    let result: Slot
    do {
      result = try body()
    } catch {
      result = .ended(.failed(stage, error))
    }
    let time = ContinuousClock.now - start
    monitor.withLock { state in
      state.slots[index] = result
      state.report.busy[stage, default: .zero] += time
    }
    if result.isOver { reportInOrder() }
  }

  // MARK: What comes next

  private func nextToRead() -> (Int, Item)? {
    turn.withLock { _ in
      let free = monitor.wait { state -> Int?? in
        if stop.isSet { state.end = min(state.end, state.nextToRead) }
        if state.nextToRead >= state.end { return .some(nil) }
        guard state.nextToRead - state.nextToReport < window else { return nil }
        return state.nextToRead
      }
      guard let index = free else { return nil }
      let item = next(index)
      return monitor.withLock { state in
        guard let item, index < state.end else {
          state.end = min(state.end, index)
          return nil
        }
        state.items[index] = item
        state.slots[index] = .busy
        state.nextToRead = index + 1
        return (index, item)
      }
    }
  }

  private func nextToCompute() -> (Int, Item, Loaded)? {
    let next = monitor.wait { state -> (Int, Item, Loaded)?? in
      if stop.isSet { state.end = min(state.end, state.nextToRead) }
      while state.nextToCompute < state.end {
        let index = state.nextToCompute
        switch state.slots[index] {
        case .loaded(let loaded):
          state.nextToCompute += 1
          if stop.isSet {
            state.slots[index] = .dropped
            continue
          }
          state.slots[index] = .busy
          return state.items[index].map { (index, $0, loaded) }
        case .busy: return nil
        case nil where index >= state.nextToReport: return nil
        default: state.nextToCompute += 1
        }
      }
      return .some(nil)
    }
    if next == nil { reportInOrder() }
    return next
  }

  private func nextToWrite() -> (Int, Item, Computed)? {
    monitor.wait { state -> (Int, Item, Computed)?? in
      while state.nextToWrite < state.end {
        let index = state.nextToWrite
        switch state.slots[index] {
        case .computed(let computed):
          state.nextToWrite += 1
          state.slots[index] = .busy
          return state.items[index].map { (index, $0, computed) }
        case .busy, .loaded: return nil
        case nil where index >= state.nextToReport: return nil
        default: state.nextToWrite += 1
        }
      }
      return .some(nil)
    }
  }

  // MARK: Reporting

  /// Reports the items that are over, as far as there is none before them that isn't.
  ///
  /// One thread at a time does it; what others end meanwhile, it takes along.
  private func reportInOrder() {
    var isMine = false
    while true {
      let next = monitor.withLock { state -> (Item, Slot)? in
        if state.isReporting && !isMine { return nil }
        guard let slot = state.slots[state.nextToReport], slot.isOver,
          let item = state.items.removeValue(forKey: state.nextToReport)
        else {
          state.isReporting = false
          return nil
        }
        state.isReporting = true
        state.slots[state.nextToReport] = nil
        return (item, slot)
      }
      guard case (let item, let slot)? = next else { return }
      isMine = true
      if case .ended(let outcome) = slot { tell(item, outcome) }
      monitor.withLock { state in
        state.nextToReport += 1
        guard case .ended(let outcome) = slot else { return }
        switch outcome {
        case .done: state.report.done += 1
        case .upToDate: state.report.upToDate += 1
        case .failed: state.report.failed += 1
        }
      }
    }
  }
}
