extension LatentFile {
  /// The bytes of the file; the same contents always give the same bytes.
  ///
  /// Each plane is written with the filter that makes it smallest.
  ///
  /// - Parameter level: the compression level of zstd; above 3 integers gain nothing, and floats 6 % at most.
  /// - Returns: the whole file.
  /// - Throws: ``LatentFileError/invalidHeader(field:reason:)`` if the metadata contradict the
  ///   latent or themselves, ``LatentFileError/compressionFailed(reason:)``.
  public func encoded(level: Int = 3) throws(LatentFileError) -> [UInt8] {
    try checkConsistency()
    let compressor = try ZstandardCompressor(level: level)
    // Short repetitions cost more than the entropy code of a level that they replace.
    let minimumMatch = latent.storage.isInteger ? 7 : 0
    var frames: [[UInt8]] = []
    var filters: [PlaneFilter] = []
    for plane in latent.planes {
      let (filter, frame) = try Self.smallest(PlaneCoding.candidates(latent.storage)) {
        filter throws(LatentFileError) in
        let payload = PlaneCoding.payload(
          plane.bytes, width: latent.width, storage: latent.storage, filter: filter)
        return try compressor.frame(payload, minimumMatch: minimumMatch)
      }
      filters.append(filter)
      frames.append(frame)
    }
    var alphaFilter: PlaneFilter?
    if let alpha {
      let (filter, frame) = try Self.smallest(AlphaPlane.candidates) {
        filter throws(LatentFileError) in
        try compressor.frame(alpha.payload(filter), minimumMatch: 0)
      }
      alphaFilter = filter
      frames.append(frame)
    }
    let header = LatentHeader(file: self, filters: filters, alphaFilter: alphaFilter)
    return HeaderFrame.frame(try header.checked()) + frames.joined()
  }

  /// Throws what the header cannot see: planes that don't fit the metadata.
  private func checkConsistency() throws(LatentFileError) {
    if metadata.values == .moments, !latent.planes.count.isMultiple(of: 2) {
      throw .invalidHeader(field: "latent.values", reason: "are moments in an odd number of planes")
    }
    guard let alpha else { return }
    guard let source = metadata.source, source.width == alpha.width, source.height == alpha.height
    else {
      throw .invalidHeader(field: "source", reason: "has not the size of the alpha plane")
    }
  }

  /// The filter that gives the smallest frame, the first of equals, and that frame.
  private static func smallest(
    _ filters: [PlaneFilter], _ frame: (PlaneFilter) throws(LatentFileError) -> [UInt8]
  ) throws(LatentFileError) -> (PlaneFilter, [UInt8]) {
    var best = (PlaneFilter.none, try frame(.none))
    for filter in filters where filter != .none {
      let candidate = try frame(filter)
      if candidate.count < best.1.count { best = (filter, candidate) }
    }
    return best
  }

  /// Reads the bytes of a file.
  ///
  /// The sizes that the header announces are checked before anything is decompressed, and nothing
  /// else is accepted.
  ///
  /// - Throws: any ``LatentFileError`` that is about reading.
  public init(
    decoding bytes: [UInt8], limits: LatentFileLimits = LatentFileLimits()
  ) throws(LatentFileError) {
    let (header, headerByteCount) = try HeaderFrame.header(in: bytes, limits: limits)
    var position = headerByteCount
    func nextFrame(index: Int, byteCount: Int) throws(LatentFileError) -> [UInt8] {
      guard position < bytes.count else {
        throw .truncated(expectedByteCount: position + 1, foundByteCount: bytes.count)
      }
      do throws(Zstandard.Refusal) {
        let (content, frameByteCount) = try Zstandard.content(
          ofFrameIn: bytes.span.extracting(position...), byteCount: byteCount)
        position += frameByteCount
        return content
      } catch {
        throw .damagedPlane(index: index, reason: error.reason)
      }
    }

    var planes: [QuantizedLatent.Plane] = []
    for index in 0..<header.planeCount {
      let payload = try nextFrame(index: index, byteCount: header.planeByteCount)
      planes.append(try header.plane(index: index, payload: payload))
    }
    var alpha: AlphaPlane?
    if let description = header.alpha, let source = header.metadata.source {
      alpha = AlphaPlane(
        payload: try nextFrame(index: header.planeCount, byteCount: header.alphaByteCount),
        height: source.height, width: source.width, bitDepth: description.bitDepth,
        filter: description.filter)
    }
    guard position == bytes.count else { throw .trailingBytes(count: bytes.count - position) }
    self.init(
      metadata: header.metadata,
      latent: QuantizedLatent(
        storage: header.storage, height: header.height, width: header.width, planes: planes),
      alpha: alpha)
  }
}

extension LatentHeader {
  /// The header as a reader would accept it, limits apart.
  ///
  /// - Throws: what that reader would throw.
  fileprivate func checked() throws(LatentFileError) -> LatentHeader {
    let unlimited = LatentFileLimits(
      headerByteCount: .max, payloadByteCount: .max, planeCount: .max, extent: .max)
    return try LatentHeader(json: Array(json.utf8), limits: unlimited)
  }

  /// A plane of the latent from its payload.
  fileprivate func plane(
    index: Int, payload: [UInt8]
  ) throws(LatentFileError) -> QuantizedLatent.Plane {
    let bytes = PlaneCoding.bytes(
      payload: payload, valueCount: height * width, width: width, storage: storage,
      filter: filters[index])
    guard let bytes else {
      throw .damagedPlane(index: index, reason: "it holds codes that \(storage.rawValue) has not")
    }
    let plane = QuantizedLatent.Plane(scale: scales[index], offset: offsets[index], bytes: bytes)
    // Integer codes give finite values: the header's scales were checked.
    guard storage.isInteger || plane.values(storage).allSatisfy(\.isFinite) else {
      throw .nonFiniteValue(channel: index)
    }
    return plane
  }
}
