import CKernels
import Testing

private struct NoPlan: Error {
  let shape: lvae_conv2d_shape
}

/// A convolution by the C kernels, all tasks in turn.
private func convolve(
  _ shape: lvae_conv2d_shape, isa: lvae_isa, accuracy: lvae_conv2d_accuracy, input: [Float],
  weights: [Float], bias: [Float], reversed: Bool = false
) throws -> [Float] {
  var shape = shape
  guard let plan = unsafe lvae_conv2d_plan_create(&shape, isa, accuracy) else {
    throw NoPlan(shape: shape)
  }
  defer { unsafe lvae_conv2d_plan_destroy(plan) }
  let packed = UnsafeMutableRawPointer.allocate(
    byteCount: unsafe lvae_conv2d_packed_count(plan) * 4, alignment: 64)
  let scratch = UnsafeMutableRawPointer.allocate(
    byteCount: unsafe lvae_conv2d_scratch_bytes(plan), alignment: 64)
  defer {
    unsafe packed.deallocate()
    unsafe scratch.deallocate()
  }
  let packedFloats = unsafe packed.assumingMemoryBound(to: Float.self)
  for task in 0..<(unsafe lvae_conv2d_pack_task_count(plan)) {
    unsafe lvae_conv2d_pack_task(plan, weights, packedFloats, task)
  }
  var output = [Float](
    repeating: .nan,
    count: shape.batch * shape.out_height * shape.out_width * shape.out_channels)
  let tasks = unsafe Array(0..<lvae_conv2d_task_count(plan))
  unsafe bias.withUnsafeBufferPointer { bias in
    var epilogue = unsafe lvae_conv2d_epilogue(
      bias: bias.baseAddress, residual: nil, activation: lvae_activation_none)
    for task in reversed ? tasks.reversed() : tasks {
      unsafe lvae_conv2d_run_task(plan, input, packedFloats, &output, &epilogue, scratch, task)
    }
  }
  return output
}

/// The same by definition, in double precision; plain convolutions only.
private func reference(
  _ shape: lvae_conv2d_shape, input: [Float], weights: [Float], bias: [Float]
) -> [Double] {
  var output: [Double] = []
  for image in 0..<shape.batch {
    for y in 0..<shape.out_height {
      for x in 0..<shape.out_width {
        var sums = bias.map(Double.init)
        for ky in 0..<shape.kernel_height {
          for kx in 0..<shape.kernel_width {
            let row = y * shape.stride + ky - shape.pad_top
            let column = x * shape.stride + kx - shape.pad_left
            guard (0..<shape.height).contains(row), (0..<shape.width).contains(column) else {
              continue
            }
            let pixel = ((image * shape.height + row) * shape.width + column) * shape.in_channels
            let tap = (ky * shape.kernel_width + kx) * shape.in_channels
            for i in 0..<shape.in_channels {
              for o in 0..<shape.out_channels {
                sums[o] +=
                  Double(input[pixel + i]) * Double(weights[(tap + i) * shape.out_channels + o])
              }
            }
          }
        }
        output += sums
      }
    }
  }
  return output
}

private func squareShape(
  batch: Int = 1, height: Int, width: Int, from inputs: Int, to outputs: Int, kernel: Int = 3,
  stride: Int = 1, padding: Int = 1
) -> lvae_conv2d_shape {
  lvae_conv2d_shape(
    batch: batch, height: height, width: width, in_channels: inputs,
    out_height: (height + 2 * padding - kernel) / stride + 1,
    out_width: (width + 2 * padding - kernel) / stride + 1, out_channels: outputs,
    kernel_height: kernel, kernel_width: kernel, stride: stride, pad_top: padding,
    pad_left: padding, upsample: false, transposed: false)
}

private let availableISAs = [lvae_isa_portable, lvae_isa_avx2, lvae_isa_avx512].filter {
  lvae_isa_is_available($0)
}

/// Benchmarks/kernels/check_convolution.c compares many more shapes.
struct ConvolutionKernelTests {
  private static let shapes = [
    squareShape(batch: 3, height: 9, width: 14, from: 33, to: 31),
    squareShape(height: 17, width: 8, from: 16, to: 64),
    squareShape(height: 15, width: 31, from: 3, to: 17),
    squareShape(height: 7, width: 33, from: 48, to: 3),
    squareShape(batch: 2, height: 9, width: 16, from: 20, to: 9, stride: 2),
    squareShape(height: 33, width: 47, from: 20, to: 40, stride: 2),
    squareShape(height: 34, width: 48, from: 17, to: 16, stride: 2, padding: 0),
    squareShape(height: 5, width: 7, from: 15, to: 33, kernel: 1, padding: 0),
    // Few tiles and many weights: F(2×2, 3×3).
    squareShape(height: 7, width: 8, from: 130, to: 129),
    squareShape(batch: 2, height: 4, width: 6, from: 128, to: 130),
  ]

  /// Numbers between −scale and scale, the same at each call.
  private static func numbers(_ count: Int, scale: Float) -> [Float] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return (Float(state >> 8) / 0x1p23 - 1) * scale
    }
  }

  @Test(arguments: shapes.indices)
  func everyInstructionSetAgreesWithDoublePrecision(index: Int) throws {
    let shape = Self.shapes[index]
    let taps = shape.kernel_height * shape.kernel_width * shape.in_channels
    let input = Self.numbers(
      shape.batch * shape.height * shape.width * shape.in_channels, scale: 1)
    let weights = Self.numbers(taps * shape.out_channels, scale: 1 / Float(taps).squareRoot())
    let bias = Self.numbers(shape.out_channels, scale: 1)
    let expected = reference(shape, input: input, weights: weights, bias: bias)
    let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
    for isa in availableISAs {
      // F(6×6, 3×3), which only `fast` allows, rounds more.
      for (accuracy, tolerance) in [
        (lvae_conv2d_accuracy_strict, 2e-6), (lvae_conv2d_accuracy_standard, 2e-6),
        (lvae_conv2d_accuracy_fast, 1e-5),
      ] {
        let output = try convolve(
          shape, isa: isa, accuracy: accuracy, input: input, weights: weights, bias: bias)
        let error = zip(output, expected).reduce(0) { sum, pair in
          sum + (Double(pair.0) - pair.1) * (Double(pair.0) - pair.1)
        }.squareRoot()
        #expect(error <= tolerance * norm)
      }
    }
  }

  @Test(arguments: shapes.indices)
  func theOrderOfTasksChangesNoBit(index: Int) throws {
    let shape = Self.shapes[index]
    let taps = shape.kernel_height * shape.kernel_width * shape.in_channels
    let input = Self.numbers(
      shape.batch * shape.height * shape.width * shape.in_channels, scale: 1)
    let weights = Self.numbers(taps * shape.out_channels, scale: 1)
    let bias = Self.numbers(shape.out_channels, scale: 1)
    func output(reversed: Bool) throws -> [Float] {
      try convolve(
        shape, isa: lvae_best_isa(), accuracy: lvae_conv2d_accuracy_standard, input: input,
        weights: weights, bias: bias, reversed: reversed)
    }
    #expect(try output(reversed: false) == output(reversed: true))
  }
}
