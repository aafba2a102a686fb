import CKernels

/// The threads that compute.
///
/// A result does not depend on their number, bit for bit: loops are split by the size of the work,
/// never by the number of threads.
@safe public final class ThreadPool: @unchecked Sendable {
  private let pool: OpaquePointer

  /// A pool of `threadCount` threads, the caller of a loop among them.
  ///
  /// - Precondition: `threadCount` is at least 1, and the system grants the threads.
  public init(threadCount: Int) {
    precondition(threadCount >= 1, "a pool of \(threadCount) threads")
    guard let pool = unsafe lvae_thread_pool_create(threadCount) else {
      preconditionFailure("the system refuses \(threadCount) threads")
    }
    unsafe self.pool = pool
  }

  deinit {
    unsafe lvae_thread_pool_destroy(pool)
  }

  /// One thread for each processor that this process may use.
  public static let shared = ThreadPool(threadCount: max(1, Int(lvae_available_processors())))

  /// The pool that operations on tensors use; ``shared`` unless a caller bound another:
  /// `ThreadPool.$current.withValue(pool) { … }`.
  @TaskLocal public static var current = ThreadPool.shared

  /// How many threads work on a loop.
  public var threadCount: Int { unsafe Int(lvae_thread_pool_thread_count(pool)) }

  /// Runs `body` as one of several computations side by side, each called by a thread of its own.
  ///
  /// They share the threads out: a loop gets those that no other has. So as many computations as there
  /// are threads never wait for one another within a loop, and the last of them has all threads.
  package func inLane<Result>(_ body: () throws -> Result) rethrows -> Result {
    unsafe lvae_thread_pool_enter_lane(pool)
    defer { unsafe lvae_thread_pool_leave_lane(pool) }
    return try body()
  }

  /// Calls `body(index, scratch)` for every index below `count`, in any order and in parallel.
  ///
  /// `scratch` is memory for `scratchCount` numbers, not initialised, that no other call uses meanwhile.
  package func run(
    count: Int, scratchCount: Int,
    _ body: (_ index: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    let threads = unsafe max(min(Int(lvae_thread_pool_free_thread_count(pool)), count), 1)
    let stride = (scratchCount + 15) / 16 * 16
    let scratch = Storage(count: threads * stride)
    run(count: count, threads: threads) { index, worker in
      unsafe body(index, scratch.base + worker * stride)
    }
  }

  /// Calls `body(index, worker)` for every index below `count`, in any order and in parallel.
  ///
  /// `worker` is below ``threadCount`` and is never used by two calls at once.
  package func run(count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
    run(count: count, threads: threadCount, body)
  }

  private func run(count: Int, threads: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      var body = body
      unsafe withUnsafeMutablePointer(to: &body) { context in
        unsafe lvae_thread_pool_run(
          pool, count, threads,
          { context, index, worker in
            guard let context = unsafe context else { return }
            unsafe context.assumingMemoryBound(to: ((Int, Int) -> Void).self)
              .pointee(index, worker)
          }, context)
      }
    }
  }
}
