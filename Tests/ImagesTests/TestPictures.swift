import Images
import Tensors
import TestSupport

/// The sizes that loops and codecs stumble over.
let awkwardSizes = [(1, 1), (1, 7), (7, 1), (2, 2), (17, 3), (16, 16), (33, 31)]

extension Image {
  /// Noise that is the same each time.
  static func noise(
    width: Int, height: Int, channels: Channels = .rgb, bitDepth: Int = 8
  ) -> Image {
    var source = SeededRandomSource(
      state: UInt64(width * 1000 + height * 10 + channels.count))
    func next() -> UInt64 { source.next() >> 33 }
    let count = width * height * channels.count
    return Image(
      width: width, height: height, channels: channels,
      samples: bitDepth == 8
        ? .eightBit((0..<count).map { _ in UInt8(truncatingIfNeeded: next()) })
        : .sixteenBit((0..<count).map { _ in UInt16(truncatingIfNeeded: next()) }))
  }

  /// A smooth picture, which lossy formats keep well.
  static func gradient(width: Int, height: Int, channels: Channels = .rgb) -> Image {
    var samples: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let pixel = [x * 255 / max(1, width - 1), y * 255 / max(1, height - 1), 128, 200]
        samples += pixel.prefix(channels.count).map { UInt8($0) }
      }
    }
    return Image(width: width, height: height, channels: channels, samples: .eightBit(samples))
  }

  /// A picture of 8-bit samples.
  init(_ width: Int, _ height: Int, _ channels: Channels, _ samples: [UInt8]) {
    self.init(width: width, height: height, channels: channels, samples: .eightBit(samples))
  }
}

/// A PNG file as a list of chunks, to be changed and put together again with good checksums.
struct PNGChunks {
  var chunks: [(type: String, contents: [UInt8])] = []

  init(_ file: [UInt8]) {
    var position = 8
    while position < file.count {
      let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let type = String(decoding: file[position + 4..<position + 8], as: UTF8.self)
      chunks.append((type, Array(file[position + 8..<position + 8 + length])))
      position += length + 12
    }
  }

  mutating func remove(_ type: String) {
    chunks.removeAll { $0.type == type }
  }

  mutating func insert(_ type: String, _ contents: [UInt8], before: String = "IDAT") {
    let index = chunks.firstIndex { $0.type == before } ?? chunks.endIndex
    chunks.insert((type, contents), at: index)
  }

  var file: [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    for (type, contents) in chunks {
      let body = Array(type.utf8) + contents
      file += bigEndian(contents.count) + body + bigEndian(Int(CRC32.checksum(body.span)))
    }
    return file
  }
}

/// A number as four bytes.
func bigEndian(_ number: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}

/// A number as four bytes.
func littleEndian(_ number: Int) -> [UInt8] { bigEndian(number).reversed() }

/// An EXIF block that holds an orientation only.
func exifBlock(orientation: UInt8, isBigEndian: Bool = true) -> [UInt8] {
  isBigEndian
    ? Array("MM\0*".utf8)
      + [0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
    : Array("II*\0".utf8)
      + [8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
}

/// An ICC profile (version 2) with a gamma; with primaries when it is for RGB.
///
/// The primaries are those of Adobe RGB (1998) adapted to D50, as its specification lists them.
func iccProfile(gamma: Double, isGrey: Bool = false) -> [UInt8] {
  func fixed(_ number: Double) -> [UInt8] { bigEndian(Int((number * 65536).rounded())) }
  func xyz(_ x: Double, _ y: Double, _ z: Double) -> [UInt8] {
    Array("XYZ \0\0\0\0".utf8) + fixed(x) + fixed(y) + fixed(z)
  }
  let encodedGamma = Int((gamma * 256).rounded())
  let curve =
    Array("curv\0\0\0\0".utf8) + bigEndian(1)
    + [UInt8(encodedGamma >> 8), UInt8(encodedGamma & 255), 0, 0]
  var tags = [("wtpt", xyz(0.9642, 1, 0.8249))]
  if isGrey {
    tags.append(("kTRC", curve))
  } else {
    tags += [
      ("rXYZ", xyz(0.60974, 0.31111, 0.01947)), ("gXYZ", xyz(0.20528, 0.62567, 0.06087)),
      ("bXYZ", xyz(0.14919, 0.06322, 0.74457)), ("rTRC", curve), ("gTRC", curve), ("bTRC", curve),
    ]
  }
  var table = bigEndian(tags.count)
  var data: [UInt8] = []
  for (name, contents) in tags {
    table += Array(name.utf8) + bigEndian(132 + 12 * tags.count + data.count)
    table += bigEndian(contents.count)
    data += contents
  }
  let size = 128 + table.count + data.count
  var header = bigEndian(size) + [0, 0, 0, 0, 2, 0x10, 0, 0]
  header += Array("mntr".utf8) + Array((isGrey ? "GRAY" : "RGB ").utf8) + Array("XYZ ".utf8)
  header += [7, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0] + Array("acsp".utf8)
  header += [UInt8](repeating: 0, count: 28) + fixed(0.9642) + fixed(1) + fixed(0.8249)
  header += [UInt8](repeating: 0, count: 128 - header.count)
  return header + table + data
}
