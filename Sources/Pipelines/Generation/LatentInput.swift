package import Images
package import LatentFiles
import Models
package import Tensors

/// What a generating command starts from: a picture, or a `.latent` file.
package struct LatentInput: Sendable {
  /// Where it came from, as the user wrote it.
  package let path: String
  private let content: Content

  private enum Content: Sendable {
    case picture(Image)
    case latent(LatentFile)
  }

  /// Extensions of files that are taken from a folder.
  private static let latentExtension = "latent"
  private static let extensions = Set(
    ImageFormat.allCases.flatMap(\.fileExtensions) + [latentExtension])

  /// Reads a file.
  ///
  /// - Throws: ``GenerationError/unusable(path:reason:)``.
  package init(_ file: InputFile) throws(GenerationError) {
    path = file.path
    do {
      content =
        PathText.fileExtension(of: file.path) == Self.latentExtension
        ? .latent(try LatentFile(contentsOf: file.url))
        : .picture(try Image(decoding: FileReading.bytes(of: file)))
    } catch {
      throw .unusable(path: file.path, reason: "\(error)")
    }
  }

  /// Reads a file.
  ///
  /// - Throws: ``GenerationError/unusable(path:reason:)``.
  package init(path: String) throws(GenerationError) {
    try self.init(InputFile(path: path, relativePath: path))
  }

  /// The pictures and `.latent` files below a folder: evenly chosen if they are more than `limit`.
  ///
  /// - Throws: ``InputError`` if there is none.
  package static func files(
    below folder: String, limit: Int
  ) throws(InputError) -> (chosen: [InputFile], found: Int) {
    let files = try InputWalker.expand([folder], extensions: extensions).files
    return (files.evenlyChosen(limit), files.count)
  }

  /// The model that a `.latent` file names; nil for a picture.
  package var model: LatentModel? {
    guard case .latent(let file) = content else { return nil }
    return file.metadata.model
  }

  /// The picture made smaller, so that no side is longer than `side`; a `.latent` file as it is.
  package func reduced(toLongestSide side: Int) -> LatentInput {
    guard case .picture(let image) = content else { return self }
    return LatentInput(path: path, content: .picture(image.thumbnail(longestSide: side)))
  }

  private init(path: String, content: Content) {
    self.path = path
    self.content = content
  }

  /// The latent, in the autoencoder's own range, and the size of its picture.
  ///
  /// - Throws: ``GenerationError/unusable(path:reason:)``, also for a `.latent` file of another model.
  package func latents(with codec: LatentCodec) throws(GenerationError) -> PictureLatent {
    do {
      switch content {
      case .picture(let image):
        return PictureLatent(
          latents: try codec.latents(of: image), height: image.height, width: image.width)
      case .latent(let file):
        let latents = try codec.latents(of: file)
        let factor = codec.model.autoencoder.spatialFactor
        let source = file.metadata.source
        return PictureLatent(
          latents: latents, height: source?.height ?? latents.shape[1] * factor,
          width: source?.width ?? latents.shape[2] * factor)
      }
    } catch {
      throw .unusable(path: path, reason: "\(error)")
    }
  }

  /// The latent of the picture in another size: its middle, in the new size's shape, is resized.
  ///
  /// - Throws: ``GenerationError/unusable(path:reason:)``.
  package func latents(
    with codec: LatentCodec, height: Int, width: Int
  ) throws(GenerationError) -> PictureLatent {
    do {
      let image: Image =
        switch content {
        case .picture(let image): image
        case .latent(let file): try codec.decode(file)
        }
      let resized = image.croppedToMiddle(shapedAs: width, height).resized(
        width: width, height: height)
      return PictureLatent(
        latents: try codec.latents(of: resized), height: height, width: width)
    } catch {
      throw .unusable(path: path, reason: "\(error)")
    }
  }
}

/// A latent with the size of its picture.
package struct PictureLatent: Sendable {
  /// `[1, h, w, C]`, in the autoencoder's own range.
  package let latents: Tensor
  /// Rows of the picture.
  package let height: Int
  /// Columns of the picture.
  package let width: Int
}

extension Image {
  /// The largest part in the middle that has the proportions of `width` to `height`.
  package func croppedToMiddle(shapedAs width: Int, _ height: Int) -> Image {
    let partWidth = max(1, min(self.width, (self.height * width + height / 2) / height))
    let partHeight = max(1, min(self.height, (self.width * height + width / 2) / width))
    return cropped(
      x: (self.width - partWidth) / 2, y: (self.height - partHeight) / 2, width: partWidth,
      height: partHeight)
  }
}

extension Array {
  /// At most `limit` elements, spread evenly over the array, in its order.
  package func evenlyChosen(_ limit: Int) -> [Element] {
    guard count > limit else { return self }
    return (0..<limit).map { self[$0 * count / limit] }
  }
}
