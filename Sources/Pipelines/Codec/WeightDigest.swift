import Layers
import Models
import Tensors

/// The identity of a model's weights: the same for the same numbers, whatever file they came from.
///
/// Each parameter gives a line, `name shape digest`, where the name and the shape (`4x3x3x3`) are
/// diffusers' and the digest is the SHA-256 of its values as little-endian float32 in that shape's
/// order. The lines, sorted by name, each ended by a newline, are hashed in turn with SHA-256. So a
/// model has one identity as safetensors and as a pickle, under its own names and under diffusers';
/// but its 16-bit version, with its rounded numbers, has another.
struct WeightDigest: ParameterVisitor {
  private var lines: [String] = []
  private(set) var parameterCount = 0

  /// Takes all parameters of a model.
  mutating func visit(_ model: some ParameterContainer) {
    var model = model
    // This visitor throws nothing.
    try? model.visitParameters(at: .root, with: &self)
  }

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    let stored = layout.toCheckpoint(parameter)
    let shape = stored.shape.dimensions.map(String.init).joined(separator: "x")
    var hash = SHA256()
    hash.update(stored.bytes)
    lines.append("\(path) \(shape) \(hash.hexadecimal)\n")
    parameterCount += parameter.shape.scalarCount
  }

  /// The identity: 64 hexadecimal digits.
  var hexadecimal: String {
    SHA256.hexadecimal(of: Array(lines.sorted().joined().utf8))
  }
}
