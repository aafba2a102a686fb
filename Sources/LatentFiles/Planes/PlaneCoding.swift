/// The way of a latent's plane into the payload and back.
enum PlaneCoding {
  /// The filters that a writer tries.
  static func candidates(_ storage: LatentStorage) -> [PlaneFilter] {
    storage.isInteger ? [.none, .delta, .average] : [.none, .shuffle]
  }

  /// Whether a plane of this storage may be filtered so.
  static func allows(_ filter: PlaneFilter, _ storage: LatentStorage) -> Bool {
    filter == .none || storage.isInteger == (filter != .shuffle)
  }

  /// The payload of a plane.
  static func payload(
    _ bytes: [UInt8], width: Int, storage: LatentStorage, filter: PlaneFilter
  ) -> [UInt8] {
    if storage.isInteger {
      let mask = UInt8(storage.greatestCode)
      let differences = filter.differences(of: bytes, width: width, mask: mask)
      return storage == .int4 ? packed(differences) : differences
    }
    return filter == .shuffle
      ? ByteShuffle.shuffled(bytes, size: storage.bytesPerValue) : bytes
  }

  /// The bytes of a plane from its payload, or `nil` if no plane has that payload.
  static func bytes(
    payload: [UInt8], valueCount: Int, width: Int, storage: LatentStorage, filter: PlaneFilter
  ) -> [UInt8]? {
    if storage.isInteger {
      let mask = UInt8(storage.greatestCode)
      let differences = storage == .int4 ? unpacked(payload, count: valueCount) : payload
      guard let differences, differences.allSatisfy({ $0 <= mask }) else { return nil }
      return filter.values(of: differences, width: width, mask: mask)
    }
    return filter == .shuffle
      ? ByteShuffle.unshuffled(payload, size: storage.bytesPerValue) : payload
  }

  /// Two values a byte, the first in the low half.
  private static func packed(_ values: [UInt8]) -> [UInt8] {
    stride(from: 0, to: values.count, by: 2).map { index in
      index + 1 < values.count ? values[index] | values[index + 1] << 4 : values[index]
    }
  }

  /// Undoes ``packed(_:)``; `nil` if the half that nothing fills isn't 0.
  private static func unpacked(_ bytes: [UInt8], count: Int) -> [UInt8]? {
    var values = bytes.flatMap { [$0 & 15, $0 >> 4] }
    if values.count > count, values.removeLast() != 0 { return nil }
    return values
  }
}
