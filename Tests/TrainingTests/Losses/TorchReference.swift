import Foundation
import TestSupport
import Tensors

/// Numbers that PyTorch computes from the same tensors; `LVAE_PYTHON` names a Python that has it.
enum TorchReference {
  static let absence = "skipped: needs torch, safetensors and pytorch_msssim (set LVAE_PYTHON)"

  private static let python = ProcessInfo.processInfo.environment["LVAE_PYTHON"] ?? "python3"

  static let isAvailable =
    ProcessInfo.processInfo.environment["LVAE_PYTHON"] != nil
    && (try? output(
      ofProgram: "/usr/bin/env",
      [python, "-c", "import torch, safetensors.numpy, pytorch_msssim"])) != nil

  /// What the last line of `program` is, flattened.
  ///
  /// Tensors are there as `a`, `b`, …, those of rank 4 channels first, and take gradients.
  static func numbers(_ program: String, _ tensors: [Tensor]) throws -> [Float] {
    let names = ["a", "b", "c", "d"]
    let bytes = try Safetensors.encoded(
      tensors: zip(names, tensors).map { (name: $0, tensor: $1) })
    var numbers: [Float] = []
    try withTemporaryFile(bytes) { url in
      var lines = program.split(separator: "\n").map(String.init)
      let last = lines.removeLast()
      let text = """
        import sys, math, torch
        import torch.nn.functional as F
        from safetensors.numpy import load_file
        torch.set_num_threads(1)
        for name, value in load_file(sys.argv[1]).items():
            value = torch.from_numpy(value)
            if value.ndim == 4: value = value.permute(0, 3, 1, 2).contiguous()
            globals()[name] = value.requires_grad_()
        \(lines.joined(separator: "\n"))
        sys.stdout.buffer.write((\(last)).detach().flatten().float().numpy().tobytes())
        """
      let found = try output(
        ofProgram: "/usr/bin/env", [python, "-c", text, url.path])
      numbers = stride(from: 0, to: found.count - 3, by: 4).map { start in
        Float(
          bitPattern: (0..<4).reduce(0) { $0 | UInt32(found[start + $1]) << UInt32(8 * $1) })
      }
    }
    return numbers
  }
}
