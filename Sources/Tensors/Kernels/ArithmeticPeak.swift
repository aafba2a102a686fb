import CKernels

/// The instruction sets that kernels are built for, in rising order.
package enum InstructionSet: String, CaseIterable, Sendable, Codable {
  /// Vectors of 16 bytes, any processor.
  case portable
  /// With FMA.
  case avx2
  /// F, BW, DQ and VL.
  case avx512

  /// The one that kernels use: the fastest, or the one that `LVAE_ISA` names.
  package static var current: InstructionSet { InstructionSet(lvae_best_isa()) }

  /// Those that kernels may use: ``current`` and what it includes.
  package static var usable: [InstructionSet] {
    allCases.filter { lvae_isa_is_available($0.kernelValue) && $0.rank <= current.rank }
  }

  private init(_ value: lvae_isa) {
    switch value {
    case lvae_isa_avx512: self = .avx512
    case lvae_isa_avx2: self = .avx2
    default: self = .portable
    }
  }

  private var rank: UInt32 { kernelValue.rawValue }

  private var kernelValue: lvae_isa {
    switch self {
    case .portable: lvae_isa_portable
    case .avx2: lvae_isa_avx2
    case .avx512: lvae_isa_avx512
    }
  }

  /// Multiplies and adds in registers, on every thread of the current pool, and gives the number
  /// of floating-point operations.
  package func runArithmetic(rounds: Int) -> Double {
    let pool = ThreadPool.current
    // Small pieces, so that a thread that is held up leaves its share to the others.
    let pieces = pool.threadCount * 16
    var perPiece = [UInt64](repeating: 0, count: pool.threadCount)
    let isa = kernelValue
    unsafe perPiece.withUnsafeMutableBufferPointer { counts in
      let counts = counts.baseAddress
      pool.run(count: pieces) { piece, worker in
        var sink = Float(piece)
        let count = unsafe lvae_arithmetic_peak_run(isa, rounds / 16, &sink)
        unsafe counts?[worker] += count
      }
    }
    return perPiece.reduce(0) { $0 + Double($1) }
  }
}

extension ConvolutionGeometry {
  /// The name of the algorithm that computes it, such as `winograd-4x4`; `im2col` if no kernel does.
  package var algorithmName: String {
    var shape = kernelShape
    guard
      let plan = unsafe lvae_conv2d_plan_create(
        &shape, lvae_best_isa(), lvae_conv2d_accuracy_standard)
    else { return "im2col" }
    defer { unsafe lvae_conv2d_plan_destroy(plan) }
    return unsafe String(cString: lvae_conv2d_algorithm_name(plan))
  }
}
