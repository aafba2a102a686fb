public import FoundationEssentials
public import Images
import Models
package import Tensors

/// The features that the FID of articles is about: Inception's, with weights that the user brings.
///
/// The weights of `pytorch-fid` (`pt_inception-2015-12-05-6726825d.pth`) fit, and so do others with
/// torchvision's names. As there, pictures of any size are brought to 299×299 by bilinear
/// interpolation.
public struct InceptionFeatures: Sendable {
  private let network: InceptionNetwork
  /// The path of the weights.
  public let source: String

  /// Pictures that are computed at a time.
  private static let batchSize = 8

  /// A network with the weights of a file.
  ///
  /// - Throws: `CheckpointError`.
  public init(contentsOf url: URL) throws {
    network = try InceptionNetwork(try Checkpoint(contentsOf: url))
    source = url.path
  }

  /// The features of pictures, which are read one after the other.
  ///
  /// - Parameters:
  ///   - count: How many there are.
  ///   - picture: Gives them by their number.
  /// - Returns: 2048 numbers for each.
  /// - Throws: what `picture` throws.
  public func features(
    count: Int, picture: (Int) throws -> Image
  ) throws -> FeatureVectors {
    var values: [Double] = []
    for start in stride(from: 0, to: count, by: Self.batchSize) {
      let batch = try (start..<min(count, start + Self.batchSize)).map { index in
        try picture(index).preparedForTraining.converted(to: .rgb).tensor()
          .resizedBilinearly(height: InceptionNetwork.side, width: InceptionNetwork.side)
      }
      values += network(.concatenatedImages(batch)).scalars.map(Double.init)
    }
    return FeatureVectors(values, dimension: InceptionNetwork.featureCount)
  }
}

extension Tensor {
  /// Pictures in another size by linear interpolation between the four nearest pixels, without a
  /// filter even where they shrink: `[N, H, W, C]` → `[N, height, width, C]`.
  ///
  /// PyTorch's `interpolate(mode="bilinear", align_corners=False)`.
  package func resizedBilinearly(height: Int, width: Int) -> Tensor {
    let (images, oldHeight, oldWidth, channels) = (shape[0], shape[1], shape[2], shape[3])
    let ys = Self.neighbours(from: oldHeight, to: height)
    let xs = Self.neighbours(from: oldWidth, to: width)
    let numbers = scalars
    var result: [Float] = []
    result.reserveCapacity(images * height * width * channels)
    for image in 0..<images {
      for y in ys {
        let upper = (image * oldHeight + y.first) * oldWidth
        let lower = (image * oldHeight + y.second) * oldWidth
        for x in xs {
          for channel in 0..<channels {
            func value(_ row: Int, _ column: Int) -> Float {
              numbers[(row + column) * channels + channel]
            }
            let top = value(upper, x.first) * (1 - x.part) + value(upper, x.second) * x.part
            let bottom = value(lower, x.first) * (1 - x.part) + value(lower, x.second) * x.part
            result.append(top * (1 - y.part) + bottom * y.part)
          }
        }
      }
    }
    return Tensor(result, shape: [images, height, width, channels])
  }

  /// Between which old pixels each new one lies, and how far from the first.
  private static func neighbours(
    from old: Int, to new: Int
  ) -> [(first: Int, second: Int, part: Float)] {
    (0..<new).map { index in
      let position = max(0, (Float(index) + 0.5) * Float(old) / Float(new) - 0.5)
      let first = min(Int(position), old - 1)
      return (first, min(first + 1, old - 1), position - Float(first))
    }
  }
}
