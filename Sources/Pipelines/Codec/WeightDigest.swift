import Models
import Synchronization
import Tensors

/// The identity of a model's weights: the same for the same numbers, whatever file they came from.
///
/// Each parameter gives a line, `name shape digest`, where the name and the shape (`4x3x3x3`) are
/// diffusers' and the digest is the SHA-256 of its values as little-endian float32 in that shape's
/// order. The lines, sorted by name, each ended by a newline, are hashed in turn with SHA-256. So a
/// model has one identity as safetensors and as a pickle, under its own names and under diffusers';
/// but its 16-bit version, with its rounded numbers, has another.
final class WeightDigest: Sendable {
  private let found = Mutex<(lines: [String], parameterCount: Int)>(([], 0))

  /// Takes one parameter, as a checkpoint has it; safe to call from any thread.
  func take(_ name: String, _ tensor: Tensor) {
    var hash = SHA256()
    hash.update(tensor.bytes)
    let shape = tensor.shape.dimensions.map(String.init).joined(separator: "x")
    let line = "\(name) \(shape) \(hash.hexadecimal)\n"
    found.withLock { found in
      found.lines.append(line)
      found.parameterCount += tensor.shape.scalarCount
    }
  }

  /// The number of parameters taken.
  var parameterCount: Int { found.withLock { $0.parameterCount } }

  /// The identity: 64 hexadecimal digits.
  var hexadecimal: String {
    found.withLock { SHA256.hexadecimal(of: Array($0.lines.sorted().joined().utf8)) }
  }
}
