import Foundation
public import Images
import LatentFiles
import Models
public import Pipelines
import Tensors

/// Checks of an autoencoder with pictures, before a long run: are its numbers finite, does it give
/// the pictures back, do its channels carry something, does its scaling fit.
public struct ModelCheckup: Sendable {
  /// A picture's middle is taken where a side is longer.
  private static let longestSide = 512

  private let codec: LatentCodec
  private var survey = LatentSurvey()
  private var pictureCount = 0
  private var inputRange = NumberRange()
  private var outputRange = NumberRange()
  private var squaredErrors: [Double] = []
  private var nonFiniteReconstructions: [String] = []
  private var latentByteCount = 0
  private var pixelCount = 0

  /// Of a codec's model, with no pictures yet.
  public init(of codec: LatentCodec) {
    self.codec = codec
  }

  /// Encodes and decodes the middle of a picture, laid over white where it is transparent.
  ///
  /// - Throws: what encoding throws, unless it is that numbers aren't finite: that is a finding.
  public mutating func add(_ picture: Image, named name: String) throws {
    let side = Self.longestSide
    let (width, height) = (min(side, picture.width), min(side, picture.height))
    let middle = picture.cropped(
      x: (picture.width - width) / 2, y: (picture.height - height) / 2, width: width,
      height: height)
    let part = middle.flattened(red: 255, green: 255, blue: 255)
    let autoencoder = codec.model.autoencoder
    let input = part.tensor().padded(toMultipleOf: autoencoder.spatialFactor)
    let posterior = autoencoder.encode(input)
    pictureCount += 1
    inputRange.add(input)
    survey.add(posterior)
    let output = autoencoder.decode(posterior.mean)
    guard posterior.mean.isFinite, posterior.logVariance?.isFinite ?? true, output.isFinite else {
      nonFiniteReconstructions.append(name)
      return
    }
    outputRange.add(output)
    let decoded = Image(output.cropped(height: height, width: width))
    squaredErrors.append(decoded.meanSquaredError(to: part.eightBit().converted(to: .rgb)))
    latentByteCount += try codec.encode(middle).encoded().count
    pixelCount += part.pixelCount
  }

  /// How many bytes an int8 `.latent` file takes for each pixel; nil before a picture was added.
  public var bytesPerPixel: Double? {
    pixelCount > 0 ? Double(latentByteCount) / Double(pixelCount) : nil
  }

  /// What was found.
  ///
  /// - Precondition: a picture was added.
  public var findings: [Finding] {
    precondition(pictureCount > 0, "a checkup without pictures")
    var findings = [weights, input]
    findings += values
    guard survey.positionCount > 0 else { return findings }
    findings += [scaling, deadChannels]
    if survey.hasVariance {
      findings += [collapse, saturation]
    } else {
      findings.append(
        Finding(.fine, "posterior", "\(codec.model.className) without a variance: nothing to check")
      )
    }
    return findings
  }

  // MARK: Numbers

  private var weights: Finding {
    let bad = WeightCollector(codec.model.autoencoder).tensors.filter { !$0.tensor.isFinite }
    guard let first = bad.first else {
      return Finding(.fine, "weights", "\(codec.model.parameterCount) numbers, all finite")
    }
    return Finding(
      .wrong, "weights",
      "\(bad.count) tensors have infinite or undefined numbers, \(first.name) first",
      advice: "the checkpoint is damaged or its training diverged: get or export it again")
  }

  private var input: Finding {
    let text = "pictures from \(inputRange), where -1 is black and 1 white"
    guard inputRange.least < inputRange.greatest else {
      return Finding(
        .warning, "input", text + ": all pixels are alike",
        advice: "check with pictures that show something")
    }
    return Finding(.fine, "input", text)
  }

  private var values: [Finding] {
    guard nonFiniteReconstructions.isEmpty else {
      return [
        Finding(
          .wrong, "output",
          "\(nonFiniteReconstructions.count) of \(pictureCount) pictures give infinite or undefined "
            + "numbers (\(nonFiniteReconstructions.briefly))",
          advice: "don't use this model: its weights overflow or are damaged")
      ]
    }
    let mean = squaredErrors.reduce(0, +) / Double(max(1, squaredErrors.count))
    let quality = 10 * log10(255 * 255 / max(mean, 1e-9))
    return [
      output,
      Finding(
        quality < 15 ? .warning : .fine, "quality",
        "\(quality.text(digits: 1)) dB PSNR over \(squaredErrors.count) pictures",
        advice: quality < 15
          ? "pictures hardly come back: wrong or untrained weights, or another kind of picture"
          : nil),
    ]
  }

  private var output: Finding {
    let beyond = outputRange.shareBeyond
    let text =
      "reconstructions from \(outputRange), \((100 * beyond).text(digits: 2)) % beyond ±1.1 and clipped"
    if beyond > 0.1 {
      return Finding(
        .warning, "output", text,
        advice: "contrasts are exaggerated: do config.json and the weights belong together?")
    }
    if outputRange.least > -0.5, inputRange.least < -0.9 {
      return Finding(
        .warning, "output", text,
        advice: "black is missing: the model may give 0…1 where -1…1 is expected")
    }
    return Finding(.fine, "output", text)
  }

  // MARK: Latents

  private var scaling: Finding {
    let recorded = codec.model.autoencoder.latentScaling
    let measured = survey.scaled(by: recorded)
    let fitting = survey.statistics.scaling
    let text =
      "latents scaled by \(Double(recorded.factor).text(digits: 4)) have mean "
      + "\(measured.mean.text(digits: 2)) and standard deviation "
      + "\(measured.standardDeviation.text(digits: 2)) here"
    let fits =
      (0.5...2).contains(measured.standardDeviation)
      && abs(measured.mean) < measured.standardDeviation / 2
    return Finding(
      fits ? .fine : .warning, "scaling", text,
      advice: fits
        ? nil
        : "a denoiser of your own wants about 0 and 1, for pictures like these scaling_factor "
          + "\(Double(fitting.factor).text(digits: 4)) and shift_factor "
          + "\(Double(fitting.shift).text(digits: 4)); for a published one keep what config.json says"
    )
  }

  private var deadChannels: Finding {
    let ranges = zip(survey.least, survey.greatest).map { Double($1 - $0) }
    let all = survey.statistics.overallStandardDeviation
    let dead = ranges.indices.filter { ranges[$0] <= 1e-3 * all }
    let count = ranges.count
    guard !dead.isEmpty else {
      return Finding(
        .fine, "channels", "all \(count) vary over \(survey.positionCount) positions")
    }
    return Finding(
      dead.count == count ? .wrong : .warning, "channels",
      "\(dead.count) of \(count) are constant (\(dead.map(String.init).briefly))",
      advice: dead.count == count
        ? "the latents say nothing of the picture: train the model again"
        : "they take space and say nothing; fewer channels would do")
  }

  private var collapse: Finding {
    let divergences = survey.statistics.channels.map(\.divergence)
    let collapsed = divergences.indices.filter { divergences[$0] < 0.01 }
    let mean = divergences.reduce(0, +) / Double(divergences.count)
    let text = "KL to the prior \(mean.text(digits: 2)) nats a channel and position in the mean"
    guard !collapsed.isEmpty else { return Finding(.fine, "posterior", text) }
    let isAll = collapsed.count == divergences.count
    return Finding(
      isAll ? .wrong : .warning, "posterior",
      text + "; collapsed to it (below 0.01): "
        + (isAll ? "all channels" : collapsed.map(String.init).briefly),
      advice: "train with a smaller KL weight, with warm-up or with free bits (`lvae train --help`)"
    )
  }

  private var saturation: Finding {
    let (low, high) = (survey.saturatedLowShares, survey.saturatedHighShares)
    let atLow = low.indices.filter { low[$0] > 0.01 }
    let atHigh = high.indices.filter { high[$0] > 0.01 }
    if !atHigh.isEmpty {
      return Finding(
        .wrong, "log-variance", "clamped at 20 in channels \(atHigh.map(String.init).briefly)",
        advice: "samples of these are noise: the weights are damaged, or training diverged")
    }
    if !atLow.isEmpty {
      return Finding(
        .warning, "log-variance", "clamped at -30 in channels \(atLow.map(String.init).briefly)",
        advice: "these are deterministic: --posterior sample gives the mean, and KL has no gradient"
      )
    }
    return Finding(.fine, "log-variance", "within its clamp of -30…20")
  }
}

/// The least and greatest of many numbers, and how many are beyond what a picture can show.
private struct NumberRange: CustomStringConvertible {
  private(set) var least = Float.infinity
  private(set) var greatest = -Float.infinity
  private var beyondCount = 0
  private var count = 0

  mutating func add(_ tensor: Tensor) {
    let span = tensor.span
    for index in 0..<tensor.shape.scalarCount {
      least = min(least, span[index])
      greatest = max(greatest, span[index])
      if abs(span[index]) > 1.1 { beyondCount += 1 }
    }
    count += tensor.shape.scalarCount
  }

  /// The share of numbers outside -1.1…1.1.
  var shareBeyond: Double { Double(beyondCount) / Double(max(1, count)) }

  var description: String {
    "\(Double(least).text(digits: 2)) to \(Double(greatest).text(digits: 2))"
  }
}

extension [String] {
  /// The first three, and whether there are more.
  var briefly: String { prefix(3).joined(separator: ", ") + (count > 3 ? ", …" : "") }
}
