import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Tensors
import Training

extension OpenLatent {
  /// What a client is told of it.
  func json(identifier: String) -> JSONObject {
    let mean = posterior.mean
    let divergences = channelDivergences
    let channels = ChannelStatistics.of(mean).enumerated().map { index, channel in
      var object: JSONObject = [
        "mean": JSONValue(channel.mean), "variance": JSONValue(channel.variance),
        "min": JSONValue(channel.least), "max": JSONValue(channel.greatest),
      ]
      object["kl"] = divergences.map { JSONValue($0[index]) }
      return JSONValue.object(object)
    }
    var object: JSONObject = [
      "id": .string(identifier), "model": .string(codec.model.name),
      "origin": .string(origin.rawValue), "width": JSONValue(width), "height": JSONValue(height),
      "spatial_factor": JSONValue(codec.model.autoencoder.spatialFactor),
      "shape": JSONValue([mean.shape[3], mean.shape[1], mean.shape[2]]),
      "has_posterior": .boolean(posterior.logVariance != nil), "channels": .array(channels),
    ]
    if sourceByteCount > 0 { object["source_bytes"] = JSONValue(sourceByteCount) }
    if let file { object["header"] = file.headerJSON }
    return object
  }

  /// KL(q ‖ N(0, 1)) of each channel: the mean over all places, in nats; nil without a variance.
  private var channelDivergences: [Double]? {
    guard let logVariance = posterior.logVariance else { return nil }
    let means = posterior.mean
    let mean = means.span
    let variance = logVariance.span
    let count = posterior.mean.shape[3]
    let places = posterior.mean.shape.scalarCount / count
    return (0..<count).map { channel in
      var sum = 0.0
      for place in 0..<places {
        let (m, l) = (
          Double(mean[place * count + channel]), Double(variance[place * count + channel])
        )
        sum += 0.5 * (m * m + exp(l) - 1 - l)
      }
      return sum / Double(places)
    }
  }
}

extension LatentFile {
  /// Its header as it stands in the file.
  var headerJSON: JSONValue? {
    guard let bytes = try? encoded(), let header = try? LatentFile.readHeader(decoding: bytes)
    else {
      return nil
    }
    return header.jsonValue
  }
}

extension LatentHeader {
  /// The header as it stands in the file.
  var jsonValue: JSONValue? { try? JSONParser.parse(Array(json.utf8)) }
}

extension OpenLatent.Compressed {
  /// Size and likeness; the ratio is to 8 bits of red, green and blue.
  func json(pixelCount: Int) -> JSONObject {
    var object: JSONObject = [
      "storage": .string(storage.rawValue), "bytes": JSONValue(bytes.count),
      "bits_per_pixel": JSONValue(Double(8 * bytes.count) / Double(pixelCount)),
      "ratio": JSONValue(Double(3 * pixelCount) / Double(bytes.count)),
    ]
    for (key, value) in quality?.likeness ?? [] { object[key] = value }
    return object
  }
}

extension PictureQuality {
  /// PSNR and SSIM, where they are finite.
  var likeness: [(String, JSONValue)] {
    [("psnr", psnr), ("ssim", ssim ?? .nan)].map { name, value in
      (name, value.isFinite ? JSONValue(value) : .null)
    }
  }
}
