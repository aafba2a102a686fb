import Benchmark
import CKernels

/// One convolution with the memory that it works on.
///
/// It is used by one benchmark at a time, on one thread.
private final class Convolution: @unchecked Sendable {
  let plan: OpaquePointer
  let algorithm: String
  private let x, weights, packed, y, bias: UnsafeMutablePointer<Float>
  private let scratch: UnsafeMutableRawPointer

  /// Nil if no kernel computes the shape.
  init?(_ shape: lvae_conv2d_shape, _ isa: lvae_isa, _ accuracy: lvae_conv2d_accuracy) {
    var shape = shape
    guard let plan = lvae_conv2d_plan_create(&shape, isa, accuracy) else { return nil }
    self.plan = plan
    algorithm = String(cString: lvae_conv2d_algorithm_name(plan))
    func memory(_ count: Int) -> UnsafeMutablePointer<Float> {
      let bytes = UnsafeMutableRawPointer.allocate(byteCount: (count + 16) * 4, alignment: 64)
      let floats = bytes.bindMemory(to: Float.self, capacity: count)
      for index in 0..<count { floats[index] = Float(index % 17) / 17 - 0.5 }
      return floats
    }
    x = memory(shape.height * shape.width * shape.in_channels)
    y = memory(shape.out_height * shape.out_width * shape.out_channels)
    weights = memory(
      shape.kernel_height * shape.kernel_width * shape.in_channels * shape.out_channels)
    bias = memory(shape.out_channels)
    packed = memory(lvae_conv2d_packed_count(plan))
    scratch = .allocate(byteCount: lvae_conv2d_scratch_bytes(plan) + 64, alignment: 64)
    pack()
  }

  deinit {
    for pointer in [x, weights, packed, y, bias] { pointer.deallocate() }
    scratch.deallocate()
    lvae_conv2d_plan_destroy(plan)
  }

  func pack() {
    for task in 0..<lvae_conv2d_pack_task_count(plan) {
      lvae_conv2d_pack_task(plan, weights, packed, task)
    }
  }

  func run() {
    var epilogue = lvae_conv2d_epilogue(
      bias: bias, residual: nil, activation: lvae_activation_none)
    for task in 0..<lvae_conv2d_task_count(plan) {
      lvae_conv2d_run_task(plan, x, packed, y, &epilogue, scratch, task)
    }
    blackHole(y[0])
  }
}

private struct Layer {
  let name: String
  let side, inputs, outputs, kernel: Int
  var stride = 1
  var upsamples = false

  var shape: lvae_conv2d_shape {
    var shape = lvae_conv2d_shape()
    shape.batch = 1
    (shape.height, shape.width) = (side, side)
    (shape.in_channels, shape.out_channels) = (inputs, outputs)
    (shape.kernel_height, shape.kernel_width) = (kernel, kernel)
    shape.stride = stride
    (shape.pad_top, shape.pad_left) = (kernel / 2, kernel / 2)
    shape.upsample = upsamples
    let result = upsamples ? 2 * side : (side - 1) / stride + 1
    (shape.out_height, shape.out_width) = (result, result)
    return shape
  }
}

private let layers = [
  Layer(name: "3x3.64ch.64px", side: 64, inputs: 64, outputs: 64, kernel: 3),
  Layer(name: "3x3.128ch.128px", side: 128, inputs: 128, outputs: 128, kernel: 3),
  Layer(name: "3x3.512ch.32px", side: 32, inputs: 512, outputs: 512, kernel: 3),
  Layer(name: "1x1.512ch.32px", side: 32, inputs: 512, outputs: 512, kernel: 1),
  Layer(name: "stride2.64ch.128px", side: 128, inputs: 64, outputs: 64, kernel: 3, stride: 2),
  Layer(name: "up.64ch.64px", side: 64, inputs: 64, outputs: 64, kernel: 3, upsamples: true),
  Layer(name: "first.3to64ch.128px", side: 128, inputs: 3, outputs: 64, kernel: 3),
  Layer(name: "last.64to3ch.128px", side: 128, inputs: 64, outputs: 3, kernel: 3),
]

private let instructionSets = [
  ("portable", lvae_isa_portable), ("avx2", lvae_isa_avx2), ("avx512", lvae_isa_avx512),
]

/// How exact a plan is decides which algorithms it may take.
private let accuracies = [
  ("strict", lvae_conv2d_accuracy_strict), ("standard", lvae_conv2d_accuracy_standard),
  ("fast", lvae_conv2d_accuracy_fast),
]

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput], warmupIterations: 2, maxDuration: .seconds(1),
    maxIterations: 200)
  for layer in layers {
    for (isa, isaValue) in instructionSets where lvae_isa_is_available(isaValue) {
      var known: Set<String> = []
      for (_, accuracy) in accuracies {
        // Only to know its algorithm: memory is taken when the benchmark runs.
        guard let probe = Convolution(layer.shape, isaValue, accuracy),
          known.insert(probe.algorithm).inserted
        else { continue }
        Benchmark("conv.\(layer.name).\(isa).\(probe.algorithm)") { benchmark in
          guard let convolution = Convolution(layer.shape, isaValue, accuracy) else { return }
          benchmark.startMeasurement()
          for _ in benchmark.scaledIterations { convolution.run() }
        }
      }
    }
  }
}
