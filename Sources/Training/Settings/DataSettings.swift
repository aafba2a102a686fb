/// `data`: how batches are made.
public struct DataSettings: Hashable, Sendable {
  /// `crop`: the side of the squares that are cut from pictures, in pixels; a multiple of the
  /// network's factor.
  public var crop = 128
  /// `batch_size`: squares in a batch.
  public var batchSize = 8
  /// `flips`: whether half of the squares are mirrored left to right.
  public var flips = true
  /// `scale`: `[low, high]`, by how much pictures are resized before; `[1, 1]` for not at all.
  public var scale = 1.0...1.0
  /// `validation_fraction`: the part of the pictures that is kept for validation; the same ones in
  /// each run.
  public var validationFraction = 0.05
  /// `enlarge_small`: whether pictures smaller than `crop` are enlarged, and not refused.
  public var enlargeSmall = false
  /// `unreadable_limit`: how many unreadable pictures are passed over.
  public var unreadableLimit = 10
  /// `cache_mib`: how much memory decoded pictures may take, in MiB.
  public var cacheMiB = 1024

  /// The defaults.
  public init() {}

  /// What a ``BatchLoader`` needs of these.
  public var batches: BatchLoader.Settings {
    var settings = BatchLoader.Settings()
    settings.crop = crop
    settings.batchSize = batchSize
    settings.flips = flips
    settings.scale = scale
    settings.enlargesSmallPictures = enlargeSmall
    return settings
  }
}

extension DataSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.integer("crop", &crop, in: 8...4096)
    try fields.integer("batch_size", &batchSize, in: 1...65536)
    try fields.boolean("flips", &flips)
    var (low, high) = (scale.lowerBound, scale.upperBound)
    try fields.pair("scale", &low, &high, .between(0.01, 100), isRising: true)
    scale = low...high
    try fields.number("validation_fraction", &validationFraction, .between(0, 0.9))
    try fields.boolean("enlarge_small", &enlargeSmall)
    try fields.integer("unreadable_limit", &unreadableLimit, in: 0...Int.max)
    try fields.integer("cache_mib", &cacheMiB, in: 0...1 << 24)
  }
}
