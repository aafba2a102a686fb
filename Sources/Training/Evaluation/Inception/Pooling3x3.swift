package import Tensors

/// What is made of 3×3 pixels.
package enum Pooling3x3 {
  /// The mean of those that lie in the picture.
  case mean
  /// The greatest of them.
  case greatest

  /// Of the pixels that begin at some places.
  fileprivate func pool(_ numbers: [Float], at places: [Int], channels: Int) -> [Float] {
    var result = Array(numbers[places[0]..<places[0] + channels])
    for place in places.dropFirst() {
      for channel in 0..<channels {
        let number = numbers[place + channel]
        result[channel] = self == .mean ? result[channel] + number : max(result[channel], number)
      }
    }
    return self == .mean ? result.map { $0 / Float(places.count) } : result
  }
}

extension Tensor {
  /// Each channel's pixels pooled: with stride 1 around every pixel, with stride 2 where all nine lie
  /// in the picture.
  ///
  /// `[N, H, W, C]` → `[N, H, W, C]`, or `[N, (H − 3)/2 + 1, (W − 3)/2 + 1, C]`. PyTorch's
  /// `avg_pool2d(3, 1, 1, count_include_pad=False)`, `max_pool2d(3, 1, 1)` and `max_pool2d(3, 2)`.
  ///
  /// - Precondition: the stride is 1 or 2, and with 2 the picture has 3×3 pixels.
  package func pooled3x3(_ pooling: Pooling3x3, stride: Int) -> Tensor {
    let (images, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    precondition(
      stride == 1 || (stride == 2 && min(height, width) >= 3), "\(shape) pooled by \(stride)")
    let border = stride == 1 ? 1 : 0
    let (rows, columns) = (
      (height + 2 * border - 3) / stride + 1, (width + 2 * border - 3) / stride + 1
    )
    let numbers = scalars
    let lines = ThreadPool.current.results(count: images * rows) { index in
      let (image, row) = index.quotientAndRemainder(dividingBy: rows)
      let ys = max(0, row * stride - border)..<min(height, row * stride - border + 3)
      var line: [Float] = []
      line.reserveCapacity(columns * channels)
      for column in 0..<columns {
        let xs = max(0, column * stride - border)..<min(width, column * stride - border + 3)
        let places = ys.flatMap { y in xs.map { ((image * height + y) * width + $0) * channels } }
        line += pooling.pool(numbers, at: places, channels: channels)
      }
      return line
    }
    return Tensor(lines.flatMap { $0 }, shape: [images, rows, columns, channels])
  }
}
