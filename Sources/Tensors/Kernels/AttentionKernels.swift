import CKernels

/// Fewest tasks that attention is cut into where the number of queries allows it.
///
/// So several threads have work. Fixed: results must not depend on the number of threads.
let fewestAttentionTasks = 8

extension Tensor {
  func attending(_ keys: Tensor, _ values: Tensor, heads: Int) -> Tensor {
    let (images, queries, channels) = (shape[0], shape[1], shape[2])
    let keyCount = keys.shape[1]
    let result = Storage(count: shape.scalarCount)
    let kernel = HeadAttention(width: channels / heads)
    let share = max(images * heads * queries / fewestAttentionTasks, 1)
    let queryBlock = min((share + 31) / 32 * 32, kernel.queryCount)
    let blocks = (queries + queryBlock - 1) / queryBlock
    unsafe ThreadPool.current.run(
      count: images * heads * blocks, scratchCount: kernel.scratchCount
    ) { index, scratch in
      let (image, head, block) = (
        index / (heads * blocks), index / blocks % heads, index % blocks
      )
      let first = block * queryBlock
      let start = (image * queries + first) * channels + head * kernel.width
      let source = image * keyCount * channels + head * kernel.width
      unsafe kernel.run(
        queries: storage.base + start, count: min(queryBlock, queries - first),
        keys: keys.storage.base + source, values: values.storage.base + source,
        keyCount: keyCount, stride: channels, scratch: scratch, output: result.base + start)
    }
    return Tensor(shape: shape, storage: result)
  }
}

/// How some queries of one head attend to all keys.
private struct HeadAttention {
  /// The head's channels.
  let width: Int
  private let isa = lvae_best_isa()
  private let isNarrow: Bool

  init(width: Int) {
    self.width = width
    isNarrow = width == Int(lvae_narrow_head_channels)
  }

  /// How many queries it takes at most.
  var queryCount: Int { Int(isNarrow ? lvae_narrow_head_queries : lvae_wide_head_queries) }

  /// The numbers of its scratch memory.
  var scratchCount: Int {
    isNarrow ? Int(lvae_narrow_head_scratch) : lvae_wide_head_scratch(isa, width)
  }

  /// Matrices have `width` columns, `stride` apart by rows.
  func run(
    queries: UnsafePointer<Float>, count: Int, keys: UnsafePointer<Float>,
    values: UnsafePointer<Float>, keyCount: Int, stride: Int,
    scratch: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    let scale = 1 / Float(width).squareRoot()
    if isNarrow {
      unsafe lvae_narrow_head_attention(
        isa, queries, count, keys, values, keyCount, stride, scale, output, scratch)
    } else {
      unsafe lvae_wide_head_attention(
        isa, queries, count, keys, values, keyCount, width, stride, scale, output, scratch)
    }
  }
}
