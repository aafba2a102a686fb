import Glibc

/// The memory behind a tensor: floats aligned to 64 bytes, written once and then only read.
///
/// It is `Sendable` because nothing writes to it after the closure given to
/// ``Tensor/init(shape:writing:)`` has returned.
@safe final class Storage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let allocation: UnsafeMutableRawPointer
  /// What convolutions have made of these numbers as their weights.
  let packedWeights = PackedWeights()

  private static let alignment = 64

  /// Memory for `count` floats: not initialised, or zeros that cost nothing until they are read.
  init(count: Int, zeroed: Bool = false) {
    let byteCount = max(count, 16) * MemoryLayout<Float>.stride + Self.alignment
    guard let allocation = unsafe zeroed ? calloc(1, byteCount) : malloc(byteCount) else {
      preconditionFailure("no memory for a tensor of \(byteCount) bytes")
    }
    unsafe self.allocation = allocation
    unsafe base = allocation.alignedUp(toMultipleOf: Self.alignment)
      .bindMemory(to: Float.self, capacity: max(count, 16))
    self.count = count
  }

  deinit {
    unsafe free(allocation)
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
