import CKernels

/// Rows of numbers whose sums are taken in single precision; those of blocks are added in double.
private let blockRows = 512

/// Numbers of a block in a sum over everything.
private let blockCount = 1 << 15

extension Tensor {
  /// The sums over the pixels of each of `images` images, or of the products with another tensor:
  /// `[images · C]`, not recorded.
  func channelSums(times other: Tensor? = nil, images: Int = 1) -> Tensor {
    let channels = shape[-1]
    let pixels = shape.scalarCount / max(channels * images, 1)
    let blocks = (pixels + blockRows - 1) / blockRows
    let partial = Storage(count: images * blocks * channels)
    ThreadPool.current.run(count: images * blocks) { index, _ in
      let (image, first) = (index / blocks, index % blocks * blockRows)
      let start = (image * pixels + first) * channels
      let rows = min(blockRows, pixels - first)
      let sums = unsafe partial.base + index * channels
      if let other {
        unsafe lvae_channel_products(
          lvae_best_isa(), storage.base + start, other.storage.base + start, rows, channels, sums)
      } else {
        unsafe lvae_channel_sums(lvae_best_isa(), storage.base + start, rows, channels, sums)
      }
    }
    return partial.addingBlocks(images: images, blocks: blocks, count: channels)
  }

  /// The sum of all numbers, or of their products with another tensor's, in double precision.
  func doubleSum(times other: Tensor? = nil) -> Double {
    let count = shape.scalarCount
    var partial = [Double](repeating: 0, count: (count + blockCount - 1) / blockCount)
    unsafe partial.withUnsafeMutableBufferPointer { partial in
      let partial = partial.baseAddress
      ThreadPool.current.run(count: (count + blockCount - 1) / blockCount) { block, _ in
        let start = block * blockCount
        let length = min(blockCount, count - start)
        if let other {
          unsafe partial?[block] = lvae_dot(
            storage.base + start, other.storage.base + start, length)
        } else {
          unsafe partial?[block] = lvae_sum(storage.base + start, length)
        }
      }
    }
    return partial.reduce(0, +)
  }

  /// The sums of each stretch of `count` numbers: `[scalarCount / count]`.
  func stretchSums(of count: Int) -> Tensor {
    let stretches = shape.scalarCount / max(count, 1)
    return unsafe Tensor(shape: [stretches]) { sums in
      let sums = sums.baseAddress
      // Several short stretches at a time.
      let group = max(1, blockCount / max(count, 1))
      ThreadPool.current.run(count: (stretches + group - 1) / group) { index, _ in
        for stretch in index * group..<min((index + 1) * group, stretches) {
          unsafe sums?[stretch] = Float(lvae_sum(storage.base + stretch * count, count))
        }
      }
    }
  }

  /// Each row of `[outer, inner]` `count` times: `[outer, count, inner]` in memory.
  func repeatingRows(outer: Int, count: Int, inner: Int, to shape: Shape) -> Tensor {
    let result = Storage(count: outer * count * inner)
    let rows = max(1, min(count, blockCount / max(inner, 1)))
    let blocks = (count + rows - 1) / rows
    ThreadPool.current.run(count: outer * blocks) { index, _ in
      let (image, first) = (index / blocks, index % blocks * rows)
      let target = unsafe result.base + (image * count + first) * inner
      let length = min(rows, count - first)
      if inner == 1 {
        unsafe target.initialize(repeating: storage.base[image], count: length)
      } else {
        unsafe lvae_copy_strided(
          storage.base + image * inner, 0, target, inner, inner, length)
      }
    }
    return Tensor(shape: shape, storage: result)
  }
}

extension Storage {
  /// The sums over blocks of `[images, blocks, count]`: `[images · count]`.
  func addingBlocks(images: Int, blocks: Int, count: Int) -> Tensor {
    unsafe Tensor(shape: [images * count]) { sums in
      for image in 0..<images {
        var line = [Double](repeating: 0, count: count)
        for block in 0..<blocks {
          let source = unsafe base + (image * blocks + block) * count
          for index in 0..<count { line[index] += Double(unsafe source[index]) }
        }
        for index in 0..<count { unsafe sums[image * count + index] = Float(line[index]) }
      }
    }
  }
}
