import CMPI
import Tensors

/// Memory in which derivatives are summed over processes.
///
/// It is used by one thread only.
@safe final class GradientBucket {
  private let memory: UnsafeMutableBufferPointer<Float>
  private var request: lvae_mpi_request?
  /// How many floats it holds so far.
  private(set) var count = 0

  /// Memory for so many floats.
  init(capacity: Int) {
    unsafe memory = .allocate(capacity: capacity)
  }

  deinit { unsafe memory.deallocate() }

  /// How many floats it can hold.
  var capacity: Int { unsafe memory.count }

  /// Copies a derivative behind the others.
  ///
  /// - Returns: where it begins.
  /// - Precondition: there is room.
  func append(_ derivative: Tensor) -> Int {
    let (start, size) = (count, derivative.shape.scalarCount)
    precondition(start + size <= capacity, "\(size) floats more in \(start) of \(capacity)")
    unsafe derivative.withUnsafePointer { source in
      unsafe memory.baseAddress?.advanced(by: start).update(from: source, count: size)
    }
    count += size
    return start
  }

  /// Starts to sum what it holds over all processes.
  ///
  /// - Throws: ``ProcessGroupError/failed(reason:)``.
  func startSum(over processes: ProcessGroup) throws(ProcessGroupError) {
    unsafe request = try processes.startSum(.init(rebasing: memory[..<count]))
  }

  /// Whether nothing is summed any more; asking drives the sum on.
  ///
  /// - Throws: ``ProcessGroupError/failed(reason:)``.
  func isSettled(in processes: ProcessGroup) throws(ProcessGroupError) -> Bool {
    guard unsafe request != nil else { return true }
    guard try unsafe processes.isDone(&request) else { return false }
    unsafe request = nil
    return true
  }

  /// A derivative, multiplied.
  func tensor(at start: Int, shape: Shape, times scale: Float) -> Tensor {
    unsafe Tensor(shape: shape) { scalars in
      for index in scalars.indices {
        unsafe scalars[index] = memory[start + index] * scale
      }
    }
  }

  /// Forgets what it holds.
  func clear() { count = 0 }
}
