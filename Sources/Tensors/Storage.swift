import CKernels
import Glibc

/// The memory behind a tensor: floats aligned to 64 bytes, written once and then only read.
///
/// It is `Sendable` because nothing writes to it after the closure given to
/// ``Tensor/init(shape:writing:)`` has returned.
@safe final class Storage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  private(set) var count: Int
  /// What convolutions have made of these numbers as their weights.
  let packedWeights = PackedWeights()
  private let allocation: Allocation

  @unsafe private enum Allocation {
    case arena(OpaquePointer)
    case heap(UnsafeMutableRawPointer)
  }

  private static let alignment = 64
  /// From this size on memory comes from the arena.
  private static let arenaByteCount = 256 << 10

  /// Memory for `count` floats: not initialised, or zeros that cost nothing until they are read.
  init(count: Int, zeroed: Bool = false) {
    self.count = count
    let capacity = max(count, 16)
    let byteCount = capacity * MemoryLayout<Float>.stride
    if !zeroed, byteCount >= Self.arenaByteCount, let block = unsafe lvae_arena_take(byteCount),
      let memory = unsafe lvae_arena_base(block)
    {
      unsafe allocation = .arena(block)
      unsafe base = memory.bindMemory(to: Float.self, capacity: capacity)
      return
    }
    let padded = byteCount + Self.alignment
    guard let memory = unsafe zeroed ? calloc(1, padded) : malloc(padded) else {
      preconditionFailure("no memory for a tensor of \(byteCount) bytes")
    }
    unsafe allocation = .heap(memory)
    unsafe base = memory.alignedUp(toMultipleOf: Self.alignment)
      .bindMemory(to: Float.self, capacity: capacity)
  }

  /// Gives back the memory beyond the first `count` floats.
  ///
  /// - Precondition: nobody else uses it at the time.
  func shrink(to count: Int) {
    precondition(count <= self.count, "\(count) floats of \(self.count)")
    self.count = count
    if case .arena(let block) = unsafe allocation {
      unsafe lvae_arena_shrink(block, max(count, 16) * MemoryLayout<Float>.stride)
    }
  }

  deinit {
    switch unsafe allocation {
    case .arena(let block): unsafe lvae_arena_give_back(block)
    case .heap(let memory): unsafe free(memory)
    }
  }
}

extension Tensor {
  /// A tensor with the given scalars in row-major order.
  ///
  /// - Precondition: `scalars.count` is the shape's scalar count.
  public init(_ scalars: [Float], shape: Shape) {
    precondition(
      scalars.count == shape.scalarCount, "\(scalars.count) scalars for a shape of \(shape)")
    unsafe self.init(shape: shape) { buffer in
      _ = unsafe buffer.initialize(from: scalars)
    }
  }

  /// A tensor of zeros.
  public init(zeros shape: Shape) {
    self.init(shape: shape, storage: Storage(count: shape.scalarCount, zeroed: true))
  }

  /// A tensor in which each scalar is `value`.
  public init(repeating value: Float, shape: Shape) {
    unsafe self.init(shape: shape) { unsafe $0.initialize(repeating: value) }
  }

  /// A copy of the scalars in row-major order.
  public var scalars: [Float] {
    unsafe withUnsafePointer { start in
      unsafe Array(UnsafeBufferPointer(start: start, count: shape.scalarCount))
    }
  }

  /// A tensor whose scalars are written by `write`, all of them.
  package init(
    shape: Shape, writing write: (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) rethrows {
    let storage = Storage(count: shape.scalarCount)
    try unsafe write(UnsafeMutableBufferPointer(start: storage.base, count: storage.count))
    self.init(shape: shape, storage: storage)
  }

  /// The scalars in row-major order, without a copy.
  public var span: Span<Float> {
    @_lifetime(borrow self)
    get {
      let span = unsafe Span(_unsafeStart: UnsafePointer(storage.base), count: storage.count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes of the scalars in row-major order, without a copy.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let bytes = unsafe RawSpan(
        _unsafeStart: UnsafeRawPointer(storage.base),
        byteCount: storage.count * MemoryLayout<Float>.stride)
      return unsafe _overrideLifetime(bytes, borrowing: self)
    }
  }

  /// Calls `body` with the scalars in row-major order; the pointer is valid during the call.
  package func withUnsafePointer<Result>(
    _ body: (UnsafePointer<Float>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(storage) { try unsafe body(UnsafePointer(storage.base)) }
  }
}
