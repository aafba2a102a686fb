import Foundation
import Images
import TestSupport
import Training

/// Pictures of which each pixel tells the picture's number and its place.
func numberedPictures(_ count: Int, width: Int = 12, height: Int = 9) -> [Image] {
  (0..<count).map { number in
    var samples: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width { samples += [UInt8(number), UInt8(x), UInt8(y)] }
    }
    return Image(width: width, height: height, channels: .rgb, samples: .eightBit(samples))
  }
}

extension TemporaryFolder {
  /// Writes pictures as files.
  func add(_ picture: Image, _ name: String, as encoding: ImageEncoding = .png()) throws {
    let url = URL(filePath: self(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(picture.encoded(as: encoding)).write(to: url)
  }
}
