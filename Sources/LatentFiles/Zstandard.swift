import CZstd

/// Writes zstd frames that carry their content's size and checksum.
@safe final class ZstandardCompressor {
  private let context: OpaquePointer

  /// A compressor of this level; it works on the caller's thread, so that the same input always
  /// gives the same bytes.
  ///
  /// - Throws: ``LatentFileError/compressionFailed(reason:)``.
  init(level: Int) throws(LatentFileError) {
    guard let context = unsafe ZSTD_createCCtx() else {
      throw .compressionFailed(reason: "no memory")
    }
    unsafe self.context = context
    try set(ZSTD_c_compressionLevel, Int32(clamping: level))
    try set(ZSTD_c_contentSizeFlag, 1)
    try set(ZSTD_c_checksumFlag, 1)
  }

  deinit {
    unsafe ZSTD_freeCCtx(context)
  }

  /// One frame with these bytes.
  ///
  /// Repetitions shorter than `minimumMatch` are not looked for; 0 leaves that to the level.
  func frame(_ bytes: [UInt8], minimumMatch: Int) throws(LatentFileError) -> [UInt8] {
    try set(ZSTD_c_minMatch, Int32(minimumMatch))
    let capacity = ZSTD_compressBound(bytes.count)
    var status = 0
    let frame = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      status = unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_compress2(
          context, buffer.baseAddress, capacity, source.baseAddress, source.count)
      }
      count = ZSTD_isError(status) == 0 ? status : 0
    }
    try check(status)
    return frame
  }

  private func set(_ parameter: ZSTD_cParameter, _ value: Int32) throws(LatentFileError) {
    try check(unsafe ZSTD_CCtx_setParameter(context, parameter, value))
  }

  private func check(_ status: Int) throws(LatentFileError) {
    guard ZSTD_isError(status) == 0 else {
      throw .compressionFailed(reason: Zstandard.reason(status))
    }
  }
}

/// Reads zstd frames that carry their content's size and checksum.
enum Zstandard {
  /// Why a frame is refused.
  struct Refusal: Error {
    /// In a few words.
    let reason: String
  }

  /// The magic number of a frame, as a file has it.
  private static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

  /// The content of the frame at the beginning of `bytes`, and the frame's size.
  ///
  /// The frame's own idea of its content is checked before memory is allocated for it.
  static func content(
    ofFrameIn bytes: Span<UInt8>, byteCount: Int
  ) throws(Refusal) -> (content: [UInt8], frameByteCount: Int) {
    guard bytes.count >= 5 else { throw Refusal(reason: "its frame is cut short") }
    guard (0..<4).allSatisfy({ bytes[$0] == magic[$0] }) else {
      throw Refusal(reason: "it is not a zstd frame")
    }
    // Bits 0 and 1 announce a dictionary, bit 2 a checksum; bits 3 and 4 are reserved.
    guard bytes[4] & 0b11111 == 0b00100 else {
      throw Refusal(reason: "its frame has no checksum or asks for a dictionary")
    }
    return try unsafe bytes.withUnsafeBufferPointer { frame throws(Refusal) in
      let announced = unsafe ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
      // The two greatest numbers mean an unknown size and an error.
      guard announced < UInt64.max - 1 else {
        throw Refusal(reason: "its frame does not say how large its content is")
      }
      guard announced == UInt64(byteCount) else {
        throw Refusal(reason: "its frame holds \(announced) bytes instead of \(byteCount)")
      }
      let frameByteCount = unsafe ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
      guard ZSTD_isError(frameByteCount) == 0 else {
        throw Refusal(reason: reason(frameByteCount))
      }
      var status = 0
      let content = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
        status = unsafe ZSTD_decompress(
          buffer.baseAddress, byteCount, frame.baseAddress, frameByteCount)
        count = ZSTD_isError(status) == 0 ? min(status, byteCount) : 0
      }
      guard ZSTD_isError(status) == 0 else { throw Refusal(reason: reason(status)) }
      guard content.count == byteCount else {
        throw Refusal(reason: "its frame holds \(content.count) bytes instead of \(byteCount)")
      }
      return (content, frameByteCount)
    }
  }

  fileprivate static func reason(_ status: Int) -> String {
    unsafe String(cString: ZSTD_getErrorName(status))
  }
}
