import Images
import Synchronization

/// Decoded pictures, as many as fit in some memory.
///
/// What is in stays: with pictures in random order, each as often as any other, exchanging them
/// would gain nothing.
final class PictureCache: Sendable {
  private struct State {
    var images: [Int: Image] = [:]
    var freeByteCount: Int
  }

  private let state: Mutex<State>

  init(byteCount: Int) {
    state = Mutex(State(freeByteCount: byteCount))
  }

  /// The picture of this number, if it is in.
  subscript(index: Int) -> Image? {
    state.withLock { $0.images[index] }
  }

  /// Keeps a picture if it fits.
  func add(_ image: Image, at index: Int) {
    let byteCount = image.samples.count * image.bitDepth / 8
    state.withLock { state in
      guard byteCount <= state.freeByteCount, state.images[index] == nil else { return }
      state.images[index] = image
      state.freeByteCount -= byteCount
    }
  }
}
