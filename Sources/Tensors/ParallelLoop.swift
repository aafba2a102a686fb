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

  /// Calls `body(index, worker)` for every index below `count`, in any order and in parallel.
  ///
  /// `worker` is below ``threadCount`` and is never used by two calls at once: it may index scratch
  /// memory that belongs to this loop.
  package func run(count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      var body = body
      unsafe withUnsafeMutablePointer(to: &body) { context in
        unsafe lvae_thread_pool_run(
          pool, count,
          { context, index, worker in
            guard let context = unsafe context else { return }
            unsafe context.assumingMemoryBound(to: ((Int, Int) -> Void).self)
              .pointee(index, worker)
          }, context)
      }
    }
  }
}
