import CKernels

/// The memory that tensors lie in.
package enum TensorMemory {
  /// Gives what isn't in use back to the system; it is kept otherwise, for tensors to come.
  ///
  /// So it is with the heap, where other arrays lie.
  package static func trim() {
    lvae_arena_trim()
    lvae_heap_trim()
  }
}
