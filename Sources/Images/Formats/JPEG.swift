import CTurboJPEG

/// JPEG through libjpeg-turbo's TurboJPEG interface.
enum JPEG {
  /// The longest side that the encoder takes.
  static let sideLimit = 65500

  /// Reads a file.
  ///
  /// A file that libjpeg would only warn about (cut off, damaged data) is refused: its pixels are
  /// partly made up.
  static func decode(_ bytes: [UInt8], limits: ImageLimits) throws(ImageError) -> DecodedPicture {
    let segments = try JPEGSegments(bytes)
    guard segments.width > 0, segments.height > 0 else {
      throw .damaged(.jpeg, reason: "the picture is \(segments.width)×\(segments.height)")
    }
    guard segments.precision == 8 else {
      throw .unsupported(.jpeg, feature: "samples of \(segments.precision) bits")
    }
    try limits.check(width: segments.width, height: segments.height)
    // A Huffman code has at least one bit, and there is one for each block of 8×8 pixels. libjpeg
    // takes memory for all blocks of a progressive file at once, however little follows.
    let blockCount = (segments.width + 7) / 8 * ((segments.height + 7) / 8)
    guard segments.isArithmetic || bytes.count * 8 >= blockCount else {
      throw .damaged(
        .jpeg, reason: "too few bytes for \(segments.width)×\(segments.height) pixels")
    }
    let layout: DecodedPicture.Layout
    let format: TJPF
    switch segments.componentCount {
    case 1: (layout, format) = (.image(.grey), TJPF_GRAY)
    case 3: (layout, format) = (.image(.rgb), TJPF_RGB)
    case 4: (layout, format) = (.cmyk(isInverted: segments.isAdobe), TJPF_CMYK)
    default: throw .unsupported(.jpeg, feature: "\(segments.componentCount) components")
    }
    let channelCount = format == TJPF_CMYK ? 4 : segments.componentCount
    let samples = try decompress(bytes, segments, format, channelCount: channelCount)
    return DecodedPicture(
      layout: layout, samples: .eightBit(samples),
      color: segments.profile.map { .iccProfile($0) } ?? .sRGB,
      source: ImageSource(
        format: .jpeg, width: segments.width, height: segments.height, bitDepth: 8,
        isGrey: channelCount == 1, hasAlpha: false, orientation: segments.orientation ?? .upright,
        warnings: segments.warnings))
  }

  /// What the picture takes: of a file in several scans, libjpeg keeps all coefficients, in 16 bits.
  static func footprint(of bytes: [UInt8], limits: ImageLimits) throws(ImageError) -> ImageFootprint
  {
    let segments = try JPEGSegments(bytes)
    try limits.check(width: segments.width, height: segments.height)
    let pixelCount = segments.width * segments.height
    let isInk = segments.componentCount == 4
    // Inks are there beside the colours that are mixed of them.
    let inkByteCount = isInk ? 4 * pixelCount : 0
    return ImageFootprint(
      width: segments.width, height: segments.height,
      channels: segments.componentCount == 1 ? .grey : .rgb, bitDepth: 8,
      orientation: segments.orientation ?? .upright, hasICCProfile: segments.profile != nil,
      isCMYK: isInk,
      decoderByteCount: inkByteCount + 2 * (segments.scanCount > 1 ? segments.coefficientCount : 0))
  }

  private static func decompress(
    _ bytes: [UInt8], _ segments: JPEGSegments, _ format: TJPF, channelCount: Int
  ) throws(ImageError) -> [UInt8] {
    guard let handle = unsafe tjInitDecompress() else {
      throw .damaged(.jpeg, reason: "no memory for a decoder")
    }
    defer { _ = unsafe tjDestroy(handle) }
    let count = segments.width * segments.height * channelCount
    var status: Int32 = -1
    let samples = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      status = unsafe tjDecompress2(
        handle, bytes, UInt(bytes.count), buffer.baseAddress, Int32(segments.width),
        Int32(segments.width * channelCount), Int32(segments.height), Int32(format.rawValue),
        TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
      initializedCount = status == 0 ? count : 0
    }
    guard status == 0 else {
      throw .damaged(.jpeg, reason: unsafe String(cString: tjGetErrorStr2(handle)))
    }
    return samples
  }

  /// Writes a file.
  static func encode(
    _ image: Image, quality: Int, isProgressive: Bool
  ) throws(ImageError) -> [UInt8] {
    guard (1...100).contains(quality) else {
      throw .cannotEncode(.jpeg, reason: "qualities are 1…100, not \(quality)")
    }
    guard !image.channels.hasAlpha else {
      throw .cannotEncode(.jpeg, reason: "it holds no opacity; flatten the picture first")
    }
    guard max(image.width, image.height) <= sideLimit else {
      throw .cannotEncode(.jpeg, reason: "a side is longer than \(sideLimit) pixels")
    }
    guard case .eightBit(let samples) = image.eightBit().samples,
      let file = compress(image, samples, quality, isProgressive)
    else { throw .cannotEncode(.jpeg, reason: "libjpeg failed; is memory short?") }
    return file
  }

  private static func compress(
    _ image: Image, _ samples: [UInt8], _ quality: Int, _ isProgressive: Bool
  ) -> [UInt8]? {
    guard let handle = unsafe tjInitCompress() else { return nil }
    defer { _ = unsafe tjDestroy(handle) }
    let isGrey = image.channels.isGrey
    let subsampling = isGrey ? TJSAMP_GRAY : quality >= 90 ? TJSAMP_444 : TJSAMP_420
    let capacity = tjBufSize(
      Int32(image.width), Int32(image.height), Int32(subsampling.rawValue))
    guard capacity != UInt.max else { return nil }
    var status: Int32 = -1
    let file = unsafe [UInt8](unsafeUninitializedCapacity: Int(capacity)) { buffer, count in
      var target = buffer.baseAddress
      var byteCount = capacity
      status = unsafe tjCompress2(
        handle, samples, Int32(image.width), Int32(image.width * image.channels.count),
        Int32(image.height), Int32((isGrey ? TJPF_GRAY : TJPF_RGB).rawValue), &target, &byteCount,
        Int32(subsampling.rawValue), Int32(quality),
        TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT | (isProgressive ? TJFLAG_PROGRESSIVE : 0))
      count = status == 0 ? Int(byteCount) : 0
    }
    return status == 0 ? Array(file) : nil
  }
}
