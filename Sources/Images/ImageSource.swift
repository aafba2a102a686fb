/// What is known about the file that a picture was read from.
public struct ImageSource: Sendable, Hashable, Codable {
  /// The file's format; nil for a picture that was made in memory.
  public var format: ImageFormat?
  /// Columns as stored, before the picture was turned upright.
  public var width: Int
  /// Rows as stored, before the picture was turned upright.
  public var height: Int
  /// Bits of a sample in the file; of a palette's colours, 8.
  public var bitDepth: Int
  /// Whether the file is grey.
  public var isGrey: Bool
  /// Whether the file has opacity or names transparent colours.
  public var hasAlpha: Bool
  /// How the file says that it lies; the picture was turned accordingly.
  public var orientation: ImageOrientation
  /// Whether the file carries an ICC profile.
  public var hasICCProfile: Bool
  /// What was done to the colours to make them sRGB.
  public var colorConversion: ColorConversion
  /// What was wrong with the file and could be passed over, in words.
  public var warnings: [String]

  /// What was done to the colours of a file.
  public enum ColorConversion: String, Sendable, Hashable, Codable {
    /// Nothing: they were sRGB, or nothing else was known about them.
    case unchanged
    /// They were converted from the file's ICC profile.
    case iccProfile
    /// They were converted from the file's gamma and primaries.
    case gamma
    /// They are CMYK inks without a profile, mixed by the plain formula.
    case plainCMYK
  }

  /// Facts; those that have a default say "nothing special".
  public init(
    format: ImageFormat?, width: Int, height: Int, bitDepth: Int, isGrey: Bool, hasAlpha: Bool,
    orientation: ImageOrientation = .upright, hasICCProfile: Bool = false,
    colorConversion: ColorConversion = .unchanged, warnings: [String] = []
  ) {
    self.format = format
    self.width = width
    self.height = height
    self.bitDepth = bitDepth
    self.isGrey = isGrey
    self.hasAlpha = hasAlpha
    self.orientation = orientation
    self.hasICCProfile = hasICCProfile
    self.colorConversion = colorConversion
    self.warnings = warnings
  }
}
