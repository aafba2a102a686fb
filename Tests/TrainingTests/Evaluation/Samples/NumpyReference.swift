import Foundation
import TestSupport
import Tensors

/// Numbers in double precision that numpy computes from the same tensors; `LVAE_PYTHON` names a
/// Python that has it.
enum NumpyReference {
  static let absence = "skipped: needs numpy and safetensors (set LVAE_PYTHON)"

  private static let python = ProcessInfo.processInfo.environment["LVAE_PYTHON"] ?? "python3"

  static let isAvailable =
    ProcessInfo.processInfo.environment["LVAE_PYTHON"] != nil
    && (try? output(
      ofProgram: "/usr/bin/env", [python, "-c", "import numpy, safetensors.numpy"])) != nil

  /// What the last line of `program` is, flattened; tensors are there as `a`, `b`, in double
  /// precision.
  static func numbers(_ program: String, _ tensors: [Tensor]) throws -> [Double] {
    let bytes = try Safetensors.encoded(
      tensors: zip(["a", "b"], tensors).map { (name: $0, tensor: $1) })
    var numbers: [Double] = []
    try withTemporaryFile(bytes) { url in
      var lines = program.split(separator: "\n").map(String.init)
      let last = lines.removeLast()
      let text = """
        import sys, numpy
        from safetensors.numpy import load_file
        for name, value in load_file(sys.argv[1]).items(): globals()[name] = value.astype("f8")
        \(lines.joined(separator: "\n"))
        sys.stdout.buffer.write((\(last)).astype("<f8").tobytes())
        """
      let found = try output(ofProgram: "/usr/bin/env", [python, "-c", text, url.path])
      numbers = stride(from: 0, to: found.count - 7, by: 8).map { start in
        Double(bitPattern: (0..<8).reduce(0) { $0 | UInt64(found[start + $1]) << UInt64(8 * $1) })
      }
    }
    return numbers
  }
}
