public import Images

/// A small picture that is the same each time: slopes with some noise on them.
public func samplePicture(
  _ width: Int = 16, _ height: Int = 12, _ channels: Image.Channels = .rgb, bitDepth: Int = 8,
  seed: UInt64 = 1
) -> Image {
  let noise = sampleScalars(width * height * channels.count, seed: seed)
  let greatest: Float = bitDepth == 8 ? 255 : 65535
  let values = noise.indices.map { index in
    let (pixel, channel) = (index / channels.count, index % channels.count)
    let slope = Float(pixel % width + channel * (pixel / width)) / Float(width + 3 * height)
    return min(greatest, max(0, (slope + 0.2 * noise[index] + 0.2) * greatest))
  }
  return Image(
    width: width, height: height, channels: channels,
    samples: bitDepth == 8
      ? .eightBit(values.map { UInt8($0) }) : .sixteenBit(values.map { UInt16($0) }))
}
