import Layers
import Tensors

/// A model of a few parameters, for optimisers.
struct SampleModel: ParameterContainer {
  var weight: Tensor
  var bias: Tensor

  mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try visitor.visit(&weight, at: path / "weight", layout: .linear)
    try visitor.visit(&bias, at: path / "bias", layout: .unchanged)
  }
}

let weightPath = ParameterPath("weight")
let biasPath = ParameterPath("bias")
