// The product that every convolution ends in: up to tile_rows pixels × panel_floats channels.
//
// A is in blocks of vector_floats channels, [block][pixel][vector_floats]: pixels are a vector
// apart, so that the rows of a tile never fall on the same cache sets, as they would in NHWC when
// the number of channels is a power of two.
#pragma once
#include "prefetch.h"
#include "vectors.h"

#pragma clang fp contract(fast)

/// c[row][panel] (+)= Σ over block and k of
/// a[offsets[block] + row · vector_floats + k] · b[block][k][panel]. `b` and `c` are aligned. For each k
/// of a block a line of memory is fetched from `ahead` on, `ahead_step` floats apart.
INLINE void tile_product_body(
    const size_t rows, size_t blocks, const ptrdiff_t *offsets, const float *a, const float *b,
    float *c, bool accumulates, const float *ahead, ptrdiff_t ahead_step) {
  vec sum[tile_rows][2];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++) {
    sum[r][0] = accumulates ? load_aligned(c + r * panel_floats) : (vec){0};
    sum[r][1] = accumulates ? load_aligned(c + r * panel_floats + vector_floats) : (vec){0};
  }
  for (size_t block = 0; block < blocks; block++) {
    const float *row = a + offsets[block];
#pragma clang loop unroll_count(4)
    for (size_t k = 0; k < vector_floats; k++, b += panel_floats) {
      vec b0 = load_aligned(b), b1 = load_aligned(b + vector_floats);
      // Packed weights come from the second or third cache level: ask 16 steps ahead.
      __builtin_prefetch(b + 16 * panel_floats);
      __builtin_prefetch(b + 16 * panel_floats + vector_floats);
      __builtin_prefetch(ahead, 0, 2);
      ahead += ahead_step;
#pragma clang loop unroll(full)
      for (size_t r = 0; r < rows; r++) {
        sum[r][0] += row[r * vector_floats + k] * b0;
        sum[r][1] += row[r * vector_floats + k] * b1;
      }
    }
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++) {
    store_aligned(c + r * panel_floats, sum[r][0]);
    store_aligned(c + r * panel_floats + vector_floats, sum[r][1]);
  }
}

typedef void (*tile_product_function)(
    size_t blocks, const ptrdiff_t *offsets, const float *a, const float *b, float *c,
    bool accumulates, const float *ahead, ptrdiff_t ahead_step);

#define TILE_PRODUCT(rows)                                                                     \
  static __attribute__((noinline)) void tile_product_##rows(                                   \
      size_t blocks, const ptrdiff_t *offsets, const float *a, const float *b, float *c,       \
      bool accumulates, const float *ahead, ptrdiff_t ahead_step) {                            \
    tile_product_body(rows, blocks, offsets, a, b, c, accumulates, ahead, ahead_step);         \
  }
TILE_PRODUCT(1)
TILE_PRODUCT(2)
TILE_PRODUCT(3)
TILE_PRODUCT(4)
#if LVAE_TILE_ROWS > 4
TILE_PRODUCT(5)
TILE_PRODUCT(6)
#endif
#if LVAE_TILE_ROWS > 6
TILE_PRODUCT(7)
TILE_PRODUCT(8)
#endif
#if LVAE_TILE_ROWS > 8
TILE_PRODUCT(9)
TILE_PRODUCT(10)
TILE_PRODUCT(11)
TILE_PRODUCT(12)
TILE_PRODUCT(13)
TILE_PRODUCT(14)
#endif
#undef TILE_PRODUCT

/// By number of rows, less one.
static const tile_product_function tile_products[tile_rows] = {
    tile_product_1, tile_product_2, tile_product_3, tile_product_4,
#if LVAE_TILE_ROWS > 4
    tile_product_5, tile_product_6,
#endif
#if LVAE_TILE_ROWS > 6
    tile_product_7, tile_product_8,
#endif
#if LVAE_TILE_ROWS > 8
    tile_product_9, tile_product_10, tile_product_11, tile_product_12, tile_product_13,
    tile_product_14,
#endif
};

INLINE void tile_product(
    size_t rows, size_t blocks, const ptrdiff_t *offsets, const float *a, const float *b, float *c,
    bool accumulates) {
  tile_products[rows - 1](blocks, offsets, a, b, c, accumulates, b, 0);
}

/// The same, which meanwhile fetches lines of the list. One for each step keeps the processor's queue
/// of them short: all at once would make it wait.
INLINE void tile_product_fetching(
    size_t rows, size_t blocks, const ptrdiff_t *offsets, const float *a, const float *b, float *c,
    bool accumulates, prefetch_list *list) {
  const float *ahead = take_lines(list, blocks * vector_floats);
  tile_products[rows - 1](
      blocks, offsets, a, b, c, accumulates, ahead ? ahead : b, ahead ? line_floats : 0);
}
