import CLCMS2

/// The gamma and primaries of a PNG without a profile; primaries alone don't count.
struct GammaDescription: Equatable {
  /// A point of the CIE 1931 chromaticity diagram.
  struct Chromaticity: Equatable {
    var x: Double
    var y: Double
  }

  /// The file's gamma: samples are light to this power; 1/2.2 is close to sRGB.
  var gamma: Double
  /// White, red, green and blue; sRGB's when nil.
  var chromaticities: [Chromaticity]?

  /// White (D65), red, green and blue of sRGB.
  static let sRGBChromaticities = [
    Chromaticity(x: 0.3127, y: 0.3290), Chromaticity(x: 0.64, y: 0.33),
    Chromaticity(x: 0.30, y: 0.60), Chromaticity(x: 0.15, y: 0.06),
  ]

  /// Whether this is sRGB as PNG files write it: gamma within 5 % of 1/2.2 (0.45455), and no
  /// primaries or sRGB's.
  ///
  /// The curve of sRGB isn't a power; files with this gamma mean it all the same.
  var isSRGB: Bool {
    guard abs(gamma * 2.2 - 1) < 0.05 else { return false }
    guard let chromaticities else { return true }
    return zip(chromaticities, Self.sRGBChromaticities).allSatisfy {
      abs($0.x - $1.x) < 0.002 && abs($0.y - $1.y) < 0.002
    }
  }
}

/// Why a description of colours isn't used.
struct UnusableColorDescription: Error {
  var reason: String
}

/// A colour profile of lcms2 (`cmsHPROFILE`).
@safe struct ColorProfile: ~Copyable {
  fileprivate let handle: cmsHPROFILE

  /// What colours it is for.
  enum Space {
    case grey
    case rgb
    case cmyk
  }

  private init?(_ handle: cmsHPROFILE?) {
    guard let handle = unsafe handle else { return nil }
    unsafe self.handle = handle
  }

  deinit {
    _ = unsafe cmsCloseProfile(handle)
  }

  /// A profile from the bytes of a file; nil when they are none.
  init?(bytes: [UInt8]) {
    unsafe self.init(cmsOpenProfileFromMem(bytes, UInt32(clamping: bytes.count)))
  }

  /// sRGB, or its curve alone for grey pictures.
  static func sRGB(isGrey: Bool) -> ColorProfile? {
    guard isGrey else { return unsafe ColorProfile(cmsCreate_sRGBProfile()) }
    // IEC 61966-2-1 as lcms2's curve of type 4: ((a·x + b)^g above d, c·x below.
    let parameters = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]
    let curve = unsafe cmsBuildParametricToneCurve(nil, 4, parameters)
    defer { unsafe cmsFreeToneCurve(curve) }
    return unsafe ColorProfile(cmsCreateGrayProfile(cmsD50_xyY(), curve))
  }

  /// The profile of a PNG's gamma and primaries; nil when they make no sense.
  init?(_ description: GammaDescription, isGrey: Bool) {
    guard let curve = unsafe cmsBuildGamma(nil, 1 / description.gamma) else { return nil }
    defer { unsafe cmsFreeToneCurve(curve) }
    guard !isGrey else {
      unsafe self.init(cmsCreateGrayProfile(cmsD50_xyY(), curve))
      return
    }
    let points = (description.chromaticities ?? GammaDescription.sRGBChromaticities).map {
      cmsCIExyY(x: $0.x, y: $0.y, Y: 1)
    }
    var white = points[0]
    var primaries = cmsCIExyYTRIPLE(Red: points[1], Green: points[2], Blue: points[3])
    let curves = unsafe [Optional(curve), curve, curve]
    unsafe self.init(cmsCreateRGBProfile(&white, &primaries, curves))
  }

  /// What colours it is for; nil for others than these.
  var space: Space? {
    switch unsafe cmsGetColorSpace(handle) {
    case cmsSigGrayData: .grey
    case cmsSigRgbData: .rgb
    case cmsSigCmykData: .cmyk
    default: nil
    }
  }
}

/// A conversion between two profiles (`cmsHTRANSFORM`).
@safe struct ColorTransform: ~Copyable {
  private let handle: cmsHTRANSFORM

  /// Perceptual intent; nil when the profiles don't allow one.
  ///
  /// `isExact` evaluates curves for each sample. Otherwise lcms2 tabulates them, which is quicker
  /// and right for 8 bits, but with 16 it loses dark tones of steep curves.
  init?(
    from source: borrowing ColorProfile, _ sourceFormat: UInt32,
    to target: borrowing ColorProfile, _ targetFormat: UInt32, isExact: Bool = false
  ) {
    guard
      let handle = unsafe cmsCreateTransform(
        source.handle, sourceFormat, target.handle, targetFormat, UInt32(INTENT_PERCEPTUAL),
        isExact ? UInt32(cmsFLAGS_NOOPTIMIZE) : 0)
    else { return nil }
    unsafe self.handle = handle
  }

  deinit {
    unsafe cmsDeleteTransform(handle)
  }

  /// Converts pixels in place; opacity beside the colours stays.
  func apply<Sample>(to samples: inout [Sample], channelCount: Int) {
    let pixelCount = samples.count / channelCount
    unsafe samples.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      for start in stride(from: 0, to: pixelCount, by: Self.pixelsACall) {
        let pixels = unsafe base + start * channelCount
        unsafe cmsDoTransform(
          handle, pixels, pixels, UInt32(min(Self.pixelsACall, pixelCount - start)))
      }
    }
  }

  /// The RGB pixels of CMYK ones.
  func rgb(cmyk: [UInt8]) -> [UInt8] {
    let pixelCount = cmyk.count / 4
    return unsafe PixelLoops.mapped(cmyk, count: pixelCount * 3) { source, target in
      for start in stride(from: 0, to: pixelCount, by: Self.pixelsACall) {
        unsafe cmsDoTransform(
          handle, source + start * 4, target + start * 3,
          UInt32(min(Self.pixelsACall, pixelCount - start)))
      }
    }
  }

  /// lcms2 counts pixels in 32 bits.
  private static let pixelsACall = 1 << 20
}
