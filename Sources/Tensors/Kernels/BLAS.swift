import COpenBLAS

/// Matrix products by the system's OpenBLAS, always on the calling thread: loops that need several
/// threads split their work over ``ThreadPool`` and call this from each.
enum BLAS {
  /// Set once, before the first product: OpenBLAS's own threads would compete with ours.
  private static let singleThreaded: Void = openblas_set_num_threads(1)

  /// Sees to it that OpenBLAS works on the calling thread.
  static func useOneThread() { _ = singleThreaded }

  /// C = A·B + β·C for row-major matrices, A `[m, k]` (or `[k, m]` if `transposingA`), B `[k, n]`
  /// (or `[n, k]` if `transposingB`).
  ///
  /// The strides are the distances between rows.
  static func multiply(
    m: Int, n: Int, k: Int,
    a: UnsafePointer<Float>, aStride: Int, transposingA: Bool = false,
    b: UnsafePointer<Float>, bStride: Int, transposingB: Bool = false,
    beta: Float, c: UnsafeMutablePointer<Float>, cStride: Int
  ) {
    useOneThread()
    guard m > 0, n > 0 else { return }
    unsafe cblas_sgemm(
      CblasRowMajor, transposingA ? CblasTrans : CblasNoTrans,
      transposingB ? CblasTrans : CblasNoTrans,
      blasint(m), blasint(n), blasint(k), 1, a, blasint(aStride), b, blasint(bStride),
      beta, c, blasint(cStride))
  }
}
