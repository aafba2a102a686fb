public import Tensors

/// A latent as it is stored: planes of numbers in a ``LatentStorage``.
public struct QuantizedLatent: Sendable, Equatable {
  /// One channel of a quantised latent.
  public struct Plane: Sendable, Equatable {
    /// The distance of two levels; 0 if all values are alike, and 1 for floating-point storage.
    public let scale: Float
    /// The value of code 0; 0 for floating-point storage.
    public let offset: Float
    /// The numbers row by row: codes of a byte each, or floating-point numbers, little-endian.
    package let bytes: [UInt8]
  }

  /// How the numbers are stored.
  public let storage: LatentStorage
  /// The rows of a plane.
  public let height: Int
  /// The columns of a plane.
  public let width: Int
  /// The planes, one a channel.
  public let planes: [Plane]

  /// The latent's numbers, `[1, height, width, planes]`: `code · scale + offset`, in float32.
  public func dequantized() -> Tensor {
    let channelCount = planes.count
    var scalars = [Float](repeating: 0, count: height * width * channelCount)
    for (channel, plane) in planes.enumerated() {
      let values = plane.values(storage)
      for index in values.indices { scalars[index * channelCount + channel] = values[index] }
    }
    return Tensor(scalars, shape: [1, height, width, channelCount])
  }
}

extension QuantizedLatent.Plane {
  /// The numbers of the plane, row by row.
  func values(_ storage: LatentStorage) -> [Float] {
    let bytes = bytes
    switch storage {
    case .int8, .int6, .int5, .int4:
      return bytes.map { Float($0) * scale + offset }
    case .f16:
      return (0..<bytes.count / 2).map { FloatConversion.float(binary16: word(at: 2 * $0)) }
    case .bf16:
      return (0..<bytes.count / 2).map { FloatConversion.float(bfloat16: word(at: 2 * $0)) }
    case .f32:
      return (0..<bytes.count / 4).map { index in
        let low = UInt32(word(at: 4 * index))
        return Float(bitPattern: UInt32(word(at: 4 * index + 2)) << 16 | low)
      }
    }
  }

  private func word(at index: Int) -> UInt16 {
    UInt16(bytes[index + 1]) << 8 | UInt16(bytes[index])
  }
}
