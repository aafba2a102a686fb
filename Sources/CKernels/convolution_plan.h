// What a convolution plan holds; shared by the planner and the kernels of each instruction set.
#pragma once
#include "convolution.h"

/// At least so many floats between frequencies: an odd number of cache lines, so that the α²
/// streams of a transform don't meet in the same cache sets.
size_t conv_frequency_stride(size_t floats);

typedef enum {
  conv_direct,        // strips of the input × the kernel as it is
  conv_few_inputs,    // windows of the input as rows of a matrix
  conv_few_outputs,   // each input pixel's shares of the outputs, then their sums
  conv_winograd_2x2,  // F(2×2, 3×3)
  conv_winograd_4x4,  // F(4×4, 3×3)
  conv_winograd_6x6,  // F(6×6, 3×3)
  conv_phases_4x4,    // the four phases of a doubled output, each F(4×4, 2×2)
  conv_strided_4x4,   // stride 2 as a sum of F(4×4, 2×2) over every other pixel
} conv_algorithm;

typedef void (*conv_pack_function)(
    const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t task);
typedef void (*conv_task_function)(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task);

/// The kernels of one instruction set, by algorithm.
typedef struct {
  size_t vector_floats, panel_floats, tile_rows;
  conv_pack_function pack[conv_strided_4x4 + 1];
  conv_task_function run[conv_strided_4x4 + 1];
} conv_kernels;

extern const conv_kernels conv_kernels_portable;
#if defined(__x86_64__)
extern const conv_kernels conv_kernels_avx2;
extern const conv_kernels conv_kernels_avx512;
#endif

const conv_kernels *conv_kernels_of(lvae_isa isa);

/// Blocking of the other algorithms. A task is a strip of rows × columns of the output and a group
/// of its panels; the input under the strip is copied to scratch.
typedef struct {
  size_t rows, columns;  // of the output
  size_t down, across;   // strips of an image
  size_t panels_per_group, groups;
  size_t input_rows, input_columns;  // under a full strip
  size_t column_run;                 // its columns of one remainder modulo the stride
  size_t row_step;                   // floats between the copies that two output rows begin at
} conv_strip_blocking;

/// Blocking of the Winograd algorithms. A task is some blocks of output tiles of `tile` × `tile`
/// pixels, counted through rows and images, for a group of panels. Scratch holds for one block the
/// transformed input [alpha²][component][channel block][tile][vector] behind a free place for one
/// frequency, then products [alpha²][panel of the group][tile][panel]: those of each frequency where
/// the input of the one before was, so that both stay in the second cache level.
typedef struct {
  size_t tile, alpha;  // alpha inputs a side make `tile` outputs
  size_t tiles_down, tiles_across, tiles;
  size_t tiles_per_block, blocks_per_task;
  size_t panels_per_group, groups;
  size_t phases;      // 1, or 4 that interleave to an output of twice the size
  size_t components;  // 1, or 4 that a strided convolution sums
  size_t blocks_per_sum;  // channel blocks summed at a stretch: shorter sums round less
  size_t input_stride, product_stride;  // floats between frequencies
} conv_winograd_blocking;

struct lvae_conv2d_plan {
  lvae_conv2d_shape shape;
  const conv_kernels *kernels;
  conv_algorithm algorithm;
  size_t channel_blocks;  // vectors of input channels
  size_t panels;          // pairs of vectors of output channels (or of shares of them)
  size_t product_blocks;  // blocks of A that a product sums over; as many offsets
  bool streams;           // y is written past the caches
  size_t packed_count, pack_tasks, scratch_floats, tasks;
  conv_strip_blocking strips;
  conv_winograd_blocking winograd;
  ptrdiff_t offsets[];  // of the blocks of A that a product sums over (see tile_product.h)
};
