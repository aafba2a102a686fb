import Layers
import Tensors

extension Autoencoder {
  /// How many floating-point operations one half takes for a picture: those of the convolutions,
  /// matrix products and attention by their definition, a multiplication and an addition each.
  ///
  /// Algorithms that need fewer multiplications don't change it, so that they show as more
  /// operations a second.
  package func operationCount(of half: AutoencoderHalves, height: Int, width: Int) -> Int {
    counter(of: half, height: height, width: width).total
  }

  /// Those of ``operationCount(of:height:width:)`` that grow with the square of the pixels: queries
  /// · keys, and their weights · values.
  package func attentionOperationCount(
    of half: AutoencoderHalves, height: Int, width: Int
  ) -> Int {
    counter(of: half, height: height, width: width).attention
  }

  private func counter(
    of half: AutoencoderHalves, height: Int, width: Int
  ) -> OperationCounter {
    let levels: (String) -> Int?
    switch self {
    case let model as AutoencoderKL:
      let coarsest = model.configuration.blockOutChannels.count - 1
      levels = { AutoencoderKL.level(of: $0.split(separator: "."), coarsest: coarsest) }
    case let model as AutoencoderTiny: levels = model.level(of:)
    case let model as AutoencoderCompact: levels = model.level(of:)
    default: levels = { _ in nil }
    }
    var counter = OperationCounter { name in
      guard half.contain(parameter: name), let level = levels(name) else { return 0 }
      return (height >> level) * (width >> level)
    }
    var model = self
    // This visitor throws nothing.
    try? model.visitParameters(at: .root, with: &counter)
    return counter
  }
}

/// Adds up what each weight takes.
private struct OperationCounter: ParameterVisitor {
  /// How many pixels the layer of a parameter gives.
  let pixelCount: (String) -> Int
  var total = 0
  var attention = 0

  init(pixelCount: @escaping (String) -> Int) {
    self.pixelCount = pixelCount
  }

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    guard parameter.shape.rank > 1 else { return }
    let pixels = pixelCount(path.description)
    // A transposed 4×4 convolution of stride 2 has 2×2 of its weights at each pixel.
    let share: Int = if case .transposedConvolution = layout { 4 } else { 1 }
    total += 2 * parameter.shape.scalarCount / share * pixels
    if path.description.hasSuffix("to_q.weight") {
      let count = 4 * pixels * pixels * parameter.shape[1]
      attention += count
      total += count
    }
  }
}

extension UNet2DModel {
  /// How many floating-point operations an estimate takes for one latent; see
  /// ``Autoencoder/operationCount(of:height:width:)``.
  package func operationCount(height: Int, width: Int) -> Int {
    let coarsest = configuration.blockOutChannels.count - 1
    var counter = OperationCounter { name in
      let parts = name.split(separator: ".")
      if parts[0] == "class_embedding" { return 0 }
      if parts[0] == "time_embedding" || parts.contains("time_emb_proj") { return 1 }
      let block = Int(parts[1]) ?? 0
      let resizes = parts.count > 2 && parts[2].hasSuffix("samplers") ? 1 : 0
      let level =
        switch parts[0] {
        case "down_blocks": block + resizes
        case "up_blocks": coarsest - block - resizes
        case "mid_block": coarsest
        default: 0
        }
      return (height >> level) * (width >> level)
    }
    var model = self
    // This visitor throws nothing.
    try? model.visitParameters(at: .root, with: &counter)
    return counter.total
  }
}

extension AutoencoderKL {
  /// How often the picture has been halved where a parameter's layer gives its result.
  fileprivate static func level(of name: [Substring], coarsest: Int) -> Int? {
    guard name.count > 1 else { return nil }
    let block = name.count > 3 ? Int(name[2]) ?? 0 : 0
    let resizes = name.count > 3 && (name[3] == "downsamplers" || name[3] == "upsamplers")
    return switch (name[0], name[1]) {
    case ("encoder", "conv_in"), ("decoder", "conv_out"): 0
    case (_, "down_blocks"): block + (resizes ? 1 : 0)
    case (_, "up_blocks"): coarsest - block - (resizes ? 1 : 0)
    default: coarsest
    }
  }
}

extension AutoencoderTiny {
  /// How often the picture has been halved where a parameter's layer gives its result.
  fileprivate func level(of name: String) -> Int? {
    let parts = name.split(separator: ".")
    guard parts.count > 2, let index = Int(parts[2]) else { return nil }
    let isEncoder = parts[0] == "encoder"
    let layers = (isEncoder ? encoder : decoder)[...index]
    return layers.reduce(isEncoder ? 0 : configuration.numEncoderBlocks.count - 1) { level, layer in
      switch layer {
      case .convolution(let convolution) where convolution.stride == 2: level + 1
      case .upsampling: level - 1
      default: level
      }
    }
  }
}

extension AutoencoderCompact {
  /// How often the picture has been halved where a parameter's layer gives its result.
  fileprivate func level(of name: String) -> Int? {
    let parts = name.split(separator: ".")
    guard parts.count > 2 else { return nil }
    let finest = configuration.patchSize.trailingZeroBitCount
    let coarsest = finest + configuration.encoderBlockOutChannels.count - 1
    let block = Int(parts[2]) ?? 0
    let resizes = parts.count > 3 && parts[3].hasSuffix("samplers") ? 1 : 0
    return switch (parts[0], parts[1]) {
    case ("encoder", "conv_in"), ("decoder", "conv_out"): finest
    case (_, "down_blocks"): finest + block + resizes
    case (_, "up_blocks"): coarsest - block - resizes
    default: coarsest
    }
  }
}
