import Images
import LatentFiles
import Models
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct LatentCodecTests {
  let codec: LatentCodec

  init() throws { codec = LatentCodec(try tinyAutoencoderKL()) }

  /// A few widths of 1…70 for each height, so that all remainders occur.
  private static let sizes = (1...70).map { height in (height, (height * 37) % 70 + 1) }

  @Test(arguments: LatentStorage.allCases)
  func picturesOfAllSizesKeepTheirShape(_ storage: LatentStorage) throws {
    let offset = LatentStorage.allCases.firstIndex(of: storage) ?? 0
    for (height, width) in Self.sizes[offset...].striding(by: LatentStorage.allCases.count) {
      let picture = samplePicture(width, height)
      let file = try codec.encode(picture, options: EncodingOptions(storage: storage))
      #expect(file.latent.height == (height + 3) / 4 && file.latent.width == (width + 3) / 4)
      let decoded = try codec.decode(LatentFile(decoding: file.encoded()))
      #expect(decoded.width == width && decoded.height == height, "\(width)×\(height)")
      #expect(decoded.channels == .rgb)
    }
  }

  @Test(arguments: Image.Channels.allCases, [8, 16])
  func greyStaysGreyAndOpacityIsExact(_ channels: Image.Channels, _ bitDepth: Int) throws {
    let picture = samplePicture(13, 6, channels, bitDepth: bitDepth)
    let decoded = try codec.decode(codec.encode(picture))
    #expect(decoded.channels == channels)
    #expect(decoded.separatingAlpha().alpha?.samples == picture.separatingAlpha().alpha?.samples)
  }

  @Test func flatteningRemovesOpacity() throws {
    let picture = samplePicture(8, 8, .rgba)
    let options = EncodingOptions(alpha: .flatten(red: 255, green: 0, blue: 9))
    let file = try codec.encode(picture, options: options)
    #expect(file.alpha == nil && file.metadata.source?.alphaBitDepth == 8)
    let flat = picture.flattened(red: 255, green: 0, blue: 9)
    #expect(try codec.encode(flat).latent == file.latent)
  }

  @Test func aSampleDependsOnSeedAndPictureOnly() throws {
    let picture = samplePicture()
    func latent(_ seed: UInt64, _ hash: String) throws -> QuantizedLatent {
      let options = EncodingOptions(storage: .f32, values: .sample, seed: seed)
      return try codec.encode(picture, sourceSHA256: hash, options: options).latent
    }
    let (one, two) = (String(repeating: "1", count: 64), String(repeating: "2", count: 64))
    #expect(try latent(1, one) == latent(1, one))
    #expect(try latent(1, one) != latent(2, one))
    #expect(try latent(1, one) != latent(1, two))
  }

  @Test func momentsBeginWithTheMeanAndDecodeAsIt() throws {
    let picture = samplePicture()
    let mean = try codec.encode(picture, options: EncodingOptions(storage: .f32))
    let moments = try codec.encode(
      picture, options: EncodingOptions(storage: .f32, values: .moments))
    #expect(moments.latent.planes.count == 8)
    #expect(Array(moments.latent.planes.prefix(4)) == mean.latent.planes)
    #expect(try codec.decode(moments).samples == codec.decode(mean).samples)
  }

  @Test(arguments: [LatentMetadata.Values.sample, .moments])
  func aModelWithoutPosteriorRefuses(_ values: LatentMetadata.Values) throws {
    let codec = LatentCodec(try tinyAutoencoderTiny())
    let options = EncodingOptions(values: values)
    let error = CodecError.noPosterior(
      model: "tiny-taesd", className: "AutoencoderTiny", values: values)
    #expect(throws: error) { try codec.check(options) }
    #expect(throws: error) { try codec.encode(samplePicture(), options: options) }
    try codec.check(EncodingOptions())
  }

  @Test func thePreviewComesNearTheColours() throws {
    // A flat picture's colour is found by the bias alone.
    let orange = Image(
      width: 32, height: 32, channels: .rgb,
      samples: .eightBit((0..<32 * 32).flatMap { _ in [255, 128, 0] as [UInt8] }))
    let file = try codec.encode(orange)
    let preview = try #require(file.metadata.preview)
    let colors = preview.colors(of: file.latent.dequantized())
    #expect(colors.shape == [1, 8, 8, 3])
    for index in stride(from: 0, to: colors.scalars.count, by: 3) {
      #expect(abs(colors.scalars[index] - 1) < 0.05)
      #expect(abs(colors.scalars[index + 1]) < 0.05)
      #expect(abs(colors.scalars[index + 2] + 1) < 0.05)
    }
    let options = EncodingOptions(includesPreview: false)
    #expect(try codec.encode(orange, options: options).metadata.preview == nil)
  }

  @Test func onlyTheSameModelPictureAndSettingsAreUpToDate() throws {
    let hash = String(repeating: "a", count: 64)
    let options = EncodingOptions(values: .sample, seed: 3)
    let file = try codec.encode(samplePicture(), sourceSHA256: hash, options: options)
    let header = try LatentFile.readHeader(decoding: file.encoded())
    func wouldWrite(_ change: (inout EncodingOptions) -> Void) -> Bool {
      var changed = options
      change(&changed)
      return codec.wouldWrite(header, sourceSHA256: hash, options: changed)
    }
    #expect(wouldWrite { _ in })
    #expect(!wouldWrite { $0.storage = .f16 })
    #expect(!wouldWrite { $0.values = .mean })
    #expect(!wouldWrite { $0.seed = 4 })
    #expect(!wouldWrite { $0.alpha = .flatten(red: 0, green: 0, blue: 0) })
    #expect(!wouldWrite { $0.maximumLoss = 0.1 })
    #expect(!wouldWrite { $0.includesPreview = false })
    let other = String(repeating: "b", count: 64)
    #expect(!codec.wouldWrite(header, sourceSHA256: other, options: options))
    let weights = LatentCodec(try tinyAutoencoderKL(seed: 2))
    #expect(!weights.wouldWrite(header, sourceSHA256: hash, options: options))
    let renamed = PretrainedAutoencoder(name: "other", autoencoder: codec.model.autoencoder)
    #expect(LatentCodec(renamed).wouldWrite(header, sourceSHA256: hash, options: options))
  }

  @Test func otherWeightsAreRefused() throws {
    let other = LatentCodec(try tinyAutoencoderKL(seed: 2))
    let file = try codec.encode(samplePicture())
    #expect(
      throws: CodecError.otherModel(
        wanted: codec.model.latentModel, given: other.model.latentModel)
    ) { try other.decode(file) }
  }

  @Test func whatDoesNotFitIntoMemoryIsRefused() throws {
    let strict = LatentCodec(codec.model, memory: MemoryLimit(byteCount: 1 << 20))
    #expect {
      try strict.encode(samplePicture())
    } throws: { error in
      guard case .tooLarge(_, _, let needed, 1 << 20)? = error as? CodecError else { return false }
      return needed > 1 << 20 && "\(error)".contains("--memory")
    }
  }

  @Test func aPlanThatFitsIsGranted() throws {
    // Nothing is computed, so that the picture may be huge.
    let limit = 1 << 20
    let strict = LatentCodec(codec.model, memory: MemoryLimit(byteCount: limit))
    var least = 0
    do {
      _ = try strict.plan(.decode, height: 4096, width: 4096, available: limit)
    } catch .tooLarge(_, _, let needed, _) {
      least = needed
    }
    #expect(least > limit)
    let plan = try strict.plan(.decode, height: 4096, width: 4096, available: least)
    #expect(!plan.isWhole && plan.peakByteCount <= least)
    #expect(throws: CodecError.self) {
      try strict.plan(.decode, height: 4096, width: 4096, available: least - 1)
    }
    // What is to be taken beside it is counted.
    #expect(throws: CodecError.self) {
      try strict.plan(
        .decode, height: 4096, width: 4096, pictureByteCount: 1, available: least)
    }
    #expect(throws: CodecError.self) {
      try strict.plan(
        .decode, height: 4096, width: 4096, laterByteCount: least + 1, available: least)
    }
  }

  @Test func aPictureThatDoesNotFitIsRefusedByItsHeader() throws {
    let strict = LatentCodec(codec.model, memory: MemoryLimit(byteCount: 1 << 20))
    var file = try samplePicture(16, 16).encoded(as: .png())
    #expect {
      try strict.checkMemory(forPictureIn: file)
    } throws: { error in
      guard case .tooLarge(16, 16, _, 1 << 20)? = error as? CodecError else { return false }
      return true
    }
    // Its pixels aren't looked at.
    file.removeLast(20)
    #expect(throws: CodecError.self) { try strict.checkMemory(forPictureIn: file) }
    let roomy = LatentCodec(codec.model, memory: MemoryLimit(byteCount: 1 << 40))
    try roomy.checkMemory(forPictureIn: file)
    try codec.checkMemory(forPictureIn: file)
  }
}

extension ArraySlice {
  fileprivate func striding(by step: Int) -> [Element] {
    stride(from: startIndex, to: endIndex, by: step).map { self[$0] }
  }
}
