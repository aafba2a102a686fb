import Layers
import Models
import Tensors
import TestSupport
import Testing

/// Gives each parameter numbers that look random.
private struct Filler: ParameterVisitor {
  var seed: UInt64 = 1

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) throws {
    seed += 1
    let shape = parameter.shape
    let inputs = shape.rank == 4 ? shape[0] * shape[1] * shape[2] : shape.rank == 2 ? shape[0] : 4
    parameter = sampleTensor(shape, seed: seed)
      .affine(scale: (2 / Float(inputs)).squareRoot(), offset: shape.rank == 1 ? 0.5 : 0)
  }
}

/// The model with random weights, of a size that keeps numbers near 1.
func filled<Model: ParameterContainer>(_ model: Model) -> Model {
  var model = model
  var filler = Filler()
  try? model.visitParameters(at: .root, with: &filler)
  return model
}

/// A picture that is decoded in bands of rows.
func decodeInRows(
  _ model: some Autoencoder, _ latents: Tensor, _ plan: StreamingPlan
) throws -> Tensor {
  var scalars: [Float] = []
  try model.decode(latents, following: plan) { rows in scalars += rows.scalars }
  let factor = model.spatialFactor
  return Tensor(
    scalars, shape: [1, latents.shape[1] * factor, latents.shape[2] * factor, 3])
}

/// Rows of a whole picture.
func rows(of picture: Tensor) -> PictureRows {
  let row = picture.shape[2] * 3
  let scalars = picture.scalars
  return PictureRows(height: picture.shape[1], width: picture.shape[2]) { rows in
    Tensor(
      Array(scalars[rows.lowerBound * row..<rows.upperBound * row]),
      shape: [1, rows.count, picture.shape[2], 3])
  }
}

/// Expects encoding and decoding in bands to give what they give at once.
func expectEqualStreams(
  _ model: any Autoencoder, _ plan: StreamingPlan, _ size: (Int, Int),
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let factor = model.spatialFactor
  let picture = sampleTensor([1, size.0 * factor, size.1 * factor, 3])
  let posterior = try model.encode(rows(of: picture), following: plan)
  let expected = model.encode(picture)
  #expect(
    relativeError(posterior.mean, expected.mean) < 1e-5, sourceLocation: sourceLocation)
  if let found = posterior.logVariance, let logVariance = expected.logVariance {
    #expect(relativeError(found, logVariance) < 1e-5, sourceLocation: sourceLocation)
  } else {
    #expect(expected.logVariance == nil, sourceLocation: sourceLocation)
  }
  let latents = sampleTensor([1, size.0, size.1, model.latentChannels], seed: 2)
  let decoded = try decodeInRows(model, latents, plan)
  #expect(
    relativeError(decoded, model.decode(latents)) < 1e-5, sourceLocation: sourceLocation)
}
