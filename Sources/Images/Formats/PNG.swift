import CPNGBridge

/// PNG through libpng.
enum PNG {
  /// Reads a file; of an animated one, its default picture.
  static func decode(_ bytes: [UInt8], limits: ImageLimits) throws(ImageError) -> DecodedPicture {
    try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
      guard let reader = unsafe lvae_png_reader_create(buffer.baseAddress, buffer.count) else {
        throw ImageError.damaged(.png, reason: "no memory for a reader")
      }
      defer { unsafe lvae_png_reader_destroy(reader) }
      var header = lvae_png_header()
      try unsafe check(lvae_png_read_header(reader, &header), reader)
      try limits.check(width: Int(header.width), height: Int(header.height))
      let samples = try unsafe samples(of: reader, header)
      guard let channels = Image.Channels(rawValue: Int(header.channels)) else {
        throw ImageError.damaged(.png, reason: "\(header.channels) channels")
      }
      let fileBitDepth = Int(header.file_bit_depth)
      var picture = DecodedPicture(
        layout: .image(channels), samples: samples,
        source: ImageSource(
          format: .png, width: Int(header.width), height: Int(header.height),
          bitDepth: channels.isGrey ? fileBitDepth : max(8, fileBitDepth), isGrey: channels.isGrey,
          hasAlpha: channels.hasAlpha))
      unsafe describe(&picture, reader, header)
      return picture
    }
  }

  /// What the picture takes.
  static func footprint(of bytes: [UInt8], limits: ImageLimits) throws(ImageError) -> ImageFootprint
  {
    try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
      guard let reader = unsafe lvae_png_reader_create(buffer.baseAddress, buffer.count) else {
        throw ImageError.damaged(.png, reason: "no memory for a reader")
      }
      defer { unsafe lvae_png_reader_destroy(reader) }
      var header = lvae_png_header()
      try unsafe check(lvae_png_read_header(reader, &header), reader)
      let (width, height) = (Int(header.width), Int(header.height))
      try limits.check(width: width, height: height)
      guard let channels = Image.Channels(rawValue: Int(header.channels)) else {
        throw ImageError.damaged(.png, reason: "\(header.channels) channels")
      }
      var byteCount = 0
      var orientation = ImageOrientation.upright
      if let exif = unsafe lvae_png_exif(reader, &byteCount) {
        let block = unsafe Array(UnsafeBufferPointer(start: exif, count: byteCount))
        orientation = EXIF.orientation(in: block[...]) ?? .upright
      }
      let profile = unsafe lvae_png_profile(reader, &byteCount)
      return ImageFootprint(
        width: width, height: height, channels: channels, bitDepth: Int(header.bits_per_sample),
        orientation: orientation, hasICCProfile: unsafe profile != nil, decoderByteCount: 0)
    }
  }

  private static func check(
    _ status: lvae_png_status, _ reader: OpaquePointer
  ) throws(ImageError) {
    switch status {
    case LVAE_PNG_OK: return
    case LVAE_PNG_TRUNCATED: throw .truncated(.png)
    default: throw .damaged(.png, reason: unsafe String(cString: lvae_png_message(reader)))
    }
  }

  /// All samples; the memory isn't touched before there are pixels to fill it.
  private static func samples(
    of reader: OpaquePointer, _ header: lvae_png_header
  ) throws(ImageError) -> Image.Samples {
    let count = Int(header.width) * Int(header.height) * Int(header.channels)
    if header.bits_per_sample == 16 {
      return .sixteenBit(try unsafe read(count, reader))
    }
    return .eightBit(try unsafe read(count, reader))
  }

  private static func read<Sample>(
    _ count: Int, _ reader: OpaquePointer
  ) throws(ImageError) -> [Sample] {
    var status = LVAE_PNG_DAMAGED
    let samples = unsafe [Sample](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      status = unsafe lvae_png_read_pixels(
        reader, UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: UInt8.self))
      initializedCount = status == LVAE_PNG_OK ? count : 0
    }
    try unsafe check(status, reader)
    return samples
  }

  /// Adds what the file says beside its pixels.
  private static func describe(
    _ picture: inout DecodedPicture, _ reader: OpaquePointer, _ header: lvae_png_header
  ) {
    var byteCount = 0
    if let profile = unsafe lvae_png_profile(reader, &byteCount) {
      picture.color = unsafe .iccProfile(
        Array(UnsafeBufferPointer(start: profile, count: byteCount)))
    } else if header.is_srgb == 0, header.gamma > 0 {
      picture.color = .gamma(
        GammaDescription(gamma: header.gamma, chromaticities: chromaticities(header)))
    }
    if let exif = unsafe lvae_png_exif(reader, &byteCount) {
      let block = unsafe Array(UnsafeBufferPointer(start: exif, count: byteCount))
      picture.source.orientation = EXIF.orientation(in: block[...]) ?? .upright
    }
    let warning = unsafe String(cString: lvae_png_warning(reader))
    if !warning.isEmpty { picture.source.warnings.append("libpng: \(warning)") }
  }

  private static func chromaticities(
    _ header: lvae_png_header
  ) -> [GammaDescription.Chromaticity]? {
    guard header.has_chromaticities != 0 else { return nil }
    return [
      GammaDescription.Chromaticity(x: header.white_x, y: header.white_y),
      GammaDescription.Chromaticity(x: header.red_x, y: header.red_y),
      GammaDescription.Chromaticity(x: header.green_x, y: header.green_y),
      GammaDescription.Chromaticity(x: header.blue_x, y: header.blue_y),
    ]
  }

  /// Writes a file, and hands its bytes to `sink` piece by piece.
  ///
  /// - Throws: ``ImageError``, and what `sink` throws.
  static func encode(
    _ image: Image, compression: Int, text: [PNGText], to sink: ([UInt8]) throws -> Void
  ) throws {
    guard (0...9).contains(compression) else {
      throw ImageError.cannotEncode(
        .png, reason: "compression levels are 0…9, not \(compression)")
    }
    let pairs = try PNGText.nullTerminated(text)
    try withoutActuallyEscaping(sink) { sink in
      let target = PNGTarget(sink)
      let isWritten =
        switch image.samples {
        case .eightBit(let samples):
          write(image, samples, compression, pairs, pairCount: text.count, target)
        case .sixteenBit(let samples):
          write(image, samples, compression, pairs, pairCount: text.count, target)
        }
      if isWritten { target.flush() }
      if let failure = target.failure { throw failure }
      guard isWritten else {
        throw ImageError.cannotEncode(.png, reason: "libpng failed; is memory short?")
      }
    }
  }

  private static func write<Sample>(
    _ image: Image, _ samples: [Sample], _ compression: Int, _ text: [UInt8], pairCount: Int,
    _ target: PNGTarget
  ) -> Bool {
    unsafe samples.withUnsafeBytes { pixels in
      unsafe text.withUnsafeBytes { text in
        unsafe lvae_png_write(
          UInt32(image.width), UInt32(image.height), Int32(image.channels.count),
          Int32(image.bitDepth), pixels.baseAddress?.assumingMemoryBound(to: UInt8.self),
          Int32(compression), text.baseAddress?.assumingMemoryBound(to: CChar.self), pairCount,
          { context, bytes, count in
            guard let context = unsafe context else { return false }
            let target = unsafe Unmanaged<PNGTarget>.fromOpaque(context).takeUnretainedValue()
            return unsafe target.add(UnsafeBufferPointer(start: bytes, count: count))
          }, Unmanaged.passUnretained(target).toOpaque())
      }
    }
  }
}

/// Collects libpng's small pieces to larger ones.
private final class PNGTarget {
  private let sink: ([UInt8]) throws -> Void
  private var bytes: [UInt8] = []
  private(set) var failure: (any Error)?
  private static let pieceByteCount = 1 << 18

  init(_ sink: @escaping ([UInt8]) throws -> Void) {
    self.sink = sink
    bytes.reserveCapacity(Self.pieceByteCount * 2)
  }

  /// Whether more is wanted.
  func add(_ piece: UnsafeBufferPointer<UInt8>) -> Bool {
    unsafe bytes.append(contentsOf: piece)
    if bytes.count >= Self.pieceByteCount { flush() }
    return failure == nil
  }

  func flush() {
    do {
      try sink(bytes)
    } catch {
      failure = error
    }
    bytes.removeAll(keepingCapacity: true)
  }
}
