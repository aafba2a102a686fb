import CWebP

/// WebP through libwebp.
enum WebP {
  /// The longest side that the format has room for.
  static let sideLimit = 16383

  /// Reads a still picture; animations are refused.
  static func decode(_ bytes: [UInt8], limits: ImageLimits) throws(ImageError) -> DecodedPicture {
    let chunks = try WebPChunks(bytes)
    var features = WebPBitstreamFeatures()
    let status = unsafe WebPGetFeatures(bytes, bytes.count, &features)
    guard status == VP8_STATUS_OK else {
      throw .damaged(
        .webP, reason: "the header can't be read (libwebp's status \(status.rawValue))")
    }
    guard features.has_animation == 0 else { throw .unsupported(.webP, feature: "animation") }
    let (width, height) = (Int(features.width), Int(features.height))
    try limits.check(width: width, height: height)
    let channels: Image.Channels = features.has_alpha != 0 ? .rgba : .rgb
    let count = width * height * channels.count
    let stride = Int32(width * channels.count)
    var isWhole = false
    let samples = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      let decode = unsafe channels == .rgba ? WebPDecodeRGBAInto : WebPDecodeRGBInto
      isWhole = unsafe decode(bytes, bytes.count, buffer.baseAddress, count, stride) != nil
      initializedCount = isWhole ? count : 0
    }
    guard isWhole else { throw .damaged(.webP, reason: "the pixels can't be read") }
    return DecodedPicture(
      layout: .image(channels), samples: .eightBit(samples),
      color: chunks.profile.map { .iccProfile($0) } ?? .sRGB,
      source: ImageSource(
        format: .webP, width: width, height: height, bitDepth: 8, isGrey: false,
        hasAlpha: channels.hasAlpha, orientation: chunks.orientation ?? .upright))
  }

  /// What the picture takes: lossless ones are there twice, and opacity is decoded for itself.
  static func footprint(of bytes: [UInt8], limits: ImageLimits) throws(ImageError) -> ImageFootprint
  {
    let chunks = try WebPChunks(bytes)
    var features = WebPBitstreamFeatures()
    let status = unsafe WebPGetFeatures(bytes, bytes.count, &features)
    guard status == VP8_STATUS_OK else {
      throw .damaged(
        .webP, reason: "the header can't be read (libwebp's status \(status.rawValue))")
    }
    let (width, height) = (Int(features.width), Int(features.height))
    try limits.check(width: width, height: height)
    let isLossless = features.format == 2
    let bytesPerPixel = isLossless ? 4 : features.has_alpha != 0 ? 2 : 0
    return ImageFootprint(
      width: width, height: height, channels: features.has_alpha != 0 ? .rgba : .rgb, bitDepth: 8,
      orientation: chunks.orientation ?? .upright, hasICCProfile: chunks.profile != nil,
      decoderByteCount: bytesPerPixel * width * height)
  }

  /// Writes a file: lossy with a quality, lossless without.
  static func encode(_ image: Image, quality: Float?) throws(ImageError) -> [UInt8] {
    guard (0...100).contains(quality ?? 0) else {
      throw .cannotEncode(.webP, reason: "qualities are 0…100, not \(quality ?? 0)")
    }
    guard max(image.width, image.height) <= sideLimit else {
      throw .cannotEncode(.webP, reason: "a side is longer than \(sideLimit) pixels")
    }
    let colored = image.eightBit().converted(to: image.channels.hasAlpha ? .rgba : .rgb)
    var config = WebPConfig()
    var picture = unsafe WebPPicture()
    guard case .eightBit(let samples) = colored.samples,
      unsafe WebPConfigInit(&config) != 0, unsafe WebPPictureInit(&picture) != 0
    else { throw .cannotEncode(.webP, reason: "the libwebp found has another version") }
    if let quality {
      config.quality = quality
    } else {
      config.lossless = 1
      config.exact = 1  // keeps colours under full transparency
      config.quality = 75  // here: effort
    }
    guard let file = unsafe compress(colored, samples, &config, &picture) else {
      throw .cannotEncode(.webP, reason: unsafe "libwebp's error \(picture.error_code.rawValue)")
    }
    return file
  }

  private static func compress(
    _ image: Image, _ samples: [UInt8], _ config: inout WebPConfig, _ picture: inout WebPPicture
  ) -> [UInt8]? {
    unsafe picture.use_argb = config.lossless
    unsafe picture.width = Int32(image.width)
    unsafe picture.height = Int32(image.height)
    let stride = Int32(image.width * image.channels.count)
    let load = unsafe image.channels == .rgba ? WebPPictureImportRGBA : WebPPictureImportRGB
    defer { unsafe WebPPictureFree(&picture) }
    guard unsafe load(&picture, samples, stride) != 0 else { return nil }
    var writer = unsafe WebPMemoryWriter()
    unsafe WebPMemoryWriterInit(&writer)
    defer { unsafe WebPMemoryWriterClear(&writer) }
    unsafe picture.writer = WebPMemoryWrite
    let isWritten = unsafe withUnsafeMutablePointer(to: &writer) { writer in
      unsafe picture.custom_ptr = UnsafeMutableRawPointer(writer)
      return unsafe WebPEncode(&config, &picture) != 0
    }
    guard isWritten else { return nil }
    return unsafe Array(UnsafeBufferPointer(start: writer.mem, count: writer.size))
  }
}
