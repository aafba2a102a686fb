import CLCMS2

extension DecodedPicture {
  /// Converts the samples to sRGB by what the file says about its colours.
  mutating func convertSamplesToSRGB()
    throws(UnusableColorDescription) -> ImageSource.ColorConversion
  {
    switch color {
    case .sRGB:
      return .unchanged
    case .gamma(let description):
      guard case .image(let channels) = layout, !description.isSRGB else { return .unchanged }
      guard let profile = ColorProfile(description, isGrey: channels.isGrey) else {
        throw UnusableColorDescription(reason: "the gamma and primaries make no sense: ignored")
      }
      return try convert(from: profile, channels) ? .gamma : .unchanged
    case .iccProfile(let bytes):
      guard let profile = ColorProfile(bytes: bytes) else {
        throw UnusableColorDescription(reason: "the ICC profile is broken: ignored")
      }
      switch (layout, profile.space) {
      case (.image(let channels), .grey) where channels.isGrey,
        (.image(let channels), .rgb) where !channels.isGrey:
        return try convert(from: profile, channels) ? .iccProfile : .unchanged
      case (.cmyk(let isInverted), .cmyk):
        try convertInks(from: profile, isInverted: isInverted)
        return .iccProfile
      default:
        throw UnusableColorDescription(
          reason: "the ICC profile is for other channels than the picture's: ignored")
      }
    }
  }

  /// Converts samples in place; false when the profile is sRGB in all but name.
  private mutating func convert(
    from profile: borrowing ColorProfile, _ channels: Image.Channels
  ) throws(UnusableColorDescription) -> Bool {
    let space = channels.isGrey ? PT_GRAY : PT_RGB
    let probe = lcmsFormat(space, channelCount: channels.isGrey ? 1 : 3, bytes: 1)
    let format = lcmsFormat(
      space, channelCount: channels.isGrey ? 1 : 3, bytes: samples.bitDepth / 8,
      extra: channels.hasAlpha ? 1 : 0)
    guard let target = ColorProfile.sRGB(isGrey: channels.isGrey),
      let probing = ColorTransform(from: profile, probe, to: target, probe),
      let transform = ColorTransform(
        from: profile, format, to: target, format, isExact: samples.bitDepth == 16)
    else { throw UnusableColorDescription(reason: "the ICC profile is broken: ignored") }
    guard !probing.changesNothing(channelCount: channels.isGrey ? 1 : 3) else { return false }
    switch samples {
    case .eightBit(var converted):
      samples = .eightBit([])  // so that the samples aren't copied
      transform.apply(to: &converted, channelCount: channels.count)
      samples = .eightBit(converted)
    case .sixteenBit(var converted):
      samples = .eightBit([])
      transform.apply(to: &converted, channelCount: channels.count)
      samples = .sixteenBit(converted)
    }
    return true
  }

  /// Turns inks into RGB samples.
  private mutating func convertInks(
    from profile: borrowing ColorProfile, isInverted: Bool
  ) throws(UnusableColorDescription) {
    let inks = lcmsFormat(PT_CMYK, channelCount: 4, bytes: 1, isInverted: isInverted)
    guard case .eightBit(let cmyk) = samples,
      let target = ColorProfile.sRGB(isGrey: false),
      let transform = ColorTransform(
        from: profile, inks, to: target, lcmsFormat(PT_RGB, channelCount: 3, bytes: 1))
    else { throw UnusableColorDescription(reason: "the ICC profile is broken: ignored") }
    samples = .eightBit(transform.rgb(cmyk: cmyk))
    layout = .image(.rgb)
  }

  /// lcms2's word for the layout of a pixel (its macros `COLORSPACE_SH`, `EXTRA_SH` and so on).
  private func lcmsFormat(
    _ space: Int32, channelCount: Int, bytes: Int, extra: Int = 0, isInverted: Bool = false
  ) -> UInt32 {
    UInt32(space) << 16 | (isInverted ? 1 << 13 : 0) | UInt32(extra) << 7
      | UInt32(channelCount) << 3 | UInt32(bytes)
  }
}

extension ColorTransform {
  /// Whether no 8-bit colour of a sample of them moves by more than one level.
  ///
  /// Most profiles are sRGB under one name or another; converting those would only add rounding.
  func changesNothing(channelCount: Int) -> Bool {
    var colors: [UInt8] = []
    if channelCount == 1 {
      colors = Array(0...255)
    } else {
      let levels = (0...8).map { UInt8($0 * 255 / 8) }
      for red in levels {
        for green in levels {
          for blue in levels { colors += [red, green, blue] }
        }
      }
    }
    var converted = colors
    apply(to: &converted, channelCount: channelCount)
    return zip(colors, converted).allSatisfy { abs(Int($0) - Int($1)) <= 1 }
  }
}
