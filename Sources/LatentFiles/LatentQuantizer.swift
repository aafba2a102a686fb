public import Tensors

/// Turns a latent into the numbers that a `.latent` file stores.
///
/// The levels of an integer storage lie evenly between the least and the greatest value of a
/// channel, so that no value moves by more than half a level. Narrower ranges that clip the
/// extremes were measured and lose: the entropy coder spends next to nothing on rare levels, and
/// per decibel a finer storage costs fewer bytes (see <doc:FileFormat>).
public struct LatentQuantizer: Sendable {
  /// How the numbers are stored.
  public var storage: LatentStorage

  /// A quantiser for this storage.
  public init(storage: LatentStorage = .int8) {
    self.storage = storage
  }

  /// The latent `[1, H, W, C]` in the quantiser's storage.
  ///
  /// - Precondition: the latent has that form and is not empty.
  /// - Throws: ``LatentFileError/nonFiniteValue(channel:)`` and
  ///   ``LatentFileError/valueOutOfRange(channel:value:storage:)``.
  public func quantize(_ latent: Tensor) throws(LatentFileError) -> QuantizedLatent {
    let shape = latent.shape
    precondition(
      shape.rank == 4 && shape[0] == 1 && shape.scalarCount > 0, "a latent of shape \(shape)")
    var planes: [QuantizedLatent.Plane] = []
    for channel in 0..<shape[3] {
      planes.append(try plane(channel: channel, of: latent))
    }
    return QuantizedLatent(storage: storage, height: shape[1], width: shape[2], planes: planes)
  }

  private func plane(
    channel: Int, of latent: Tensor
  ) throws(LatentFileError) -> QuantizedLatent.Plane {
    let span = latent.span
    let values = stride(from: channel, to: span.count, by: latent.shape[3]).map { span[$0] }
    guard values.allSatisfy(\.isFinite) else { throw .nonFiniteValue(channel: channel) }
    switch storage {
    case .int8, .int6, .int5, .int4: return try integers(values, channel: channel)
    case .f16: return try words(values, channel: channel) { FloatConversion.binary16($0) }
    case .bf16: return try words(values, channel: channel) { FloatConversion.bfloat16($0) }
    case .f32:
      var bytes: [UInt8] = []
      bytes.reserveCapacity(4 * values.count)
      for value in values {
        for shift in stride(from: 0, to: 32, by: 8) {
          bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
        }
      }
      return QuantizedLatent.Plane(scale: 1, offset: 0, bytes: bytes)
    }
  }

  private func integers(
    _ values: [Float], channel: Int
  ) throws(LatentFileError) -> QuantizedLatent.Plane {
    var least = Float.infinity
    var greatest = -Float.infinity
    for value in values {
      least = min(least, value)
      greatest = max(greatest, value)
    }
    let greatestCode = Double(storage.greatestCode)
    let scale = Float((Double(greatest) - Double(least)) / greatestCode)
    guard (Float(greatestCode) * scale + least).isFinite else {
      throw .valueOutOfRange(channel: channel, value: greatest, storage: storage)
    }
    let inverse = scale > 0 ? 1 / Double(scale) : 0
    let codes = values.map { value in
      UInt8(min(greatestCode, (Double(value) - Double(least)) * inverse + 0.5))
    }
    return QuantizedLatent.Plane(scale: scale, offset: least, bytes: codes)
  }

  private func words(
    _ values: [Float], channel: Int, _ convert: (Float) -> UInt16?
  ) throws(LatentFileError) -> QuantizedLatent.Plane {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 * values.count)
    for value in values {
      guard let word = convert(value) else {
        throw .valueOutOfRange(channel: channel, value: value, storage: storage)
      }
      bytes.append(UInt8(truncatingIfNeeded: word))
      bytes.append(UInt8(truncatingIfNeeded: word >> 8))
    }
    return QuantizedLatent.Plane(scale: 1, offset: 0, bytes: bytes)
  }
}
