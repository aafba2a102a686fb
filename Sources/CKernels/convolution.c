// Plans of convolutions: which algorithm computes a shape, and with which blocking.
#include "convolution.h"

#include <stdint.h>
#include <stdlib.h>

#include "convolution_plan.h"

enum {
  // Fewest tasks a convolution is cut into where its size allows it, so that several threads have
  // work. Fixed: results must not depend on the number of threads.
  fewest_tasks = 8,
  // Outputs above this size are written past the caches: they would only push out what is needed.
  streamed_bytes = 16 << 20,
  // What stays in the second cache level beside other things.
  cached_bytes = 1 << 20,
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

const conv_kernels *conv_kernels_of(lvae_isa isa) {
#if defined(__x86_64__)
  if (isa == lvae_isa_avx512) return &conv_kernels_avx512;
  if (isa == lvae_isa_avx2) return &conv_kernels_avx2;
#endif
  return &conv_kernels_portable;
}

/// Whether the shape makes sense, and the two special kinds have the only form that exists: whole
/// pictures, or bands of their rows.
static bool shape_is_supported(const lvae_conv2d_shape *shape) {
  if (!shape->batch || !shape->height || !shape->width || !shape->in_channels ||
      !shape->out_height || !shape->out_width || !shape->out_channels || !shape->kernel_height ||
      !shape->kernel_width || !shape->stride)
    return false;
  if (!shape->upsample && !shape->transposed) return true;
  size_t side = shape->upsample ? 3 : 4;
  return shape->upsample != shape->transposed && shape->kernel_height == side &&
         shape->kernel_width == side && shape->stride == (shape->upsample ? 1 : 2) &&
         shape->pad_top >= 0 && shape->pad_top <= 1 && shape->pad_left == 1 &&
         shape->out_height % 2 == 0 &&
         shape->out_height / 2 + 1 <= shape->height + (size_t)shape->pad_top + 1 &&
         shape->out_width == 2 * shape->width;
}

/// Panels of the algorithm for few outputs: a tap's outputs are never split between two.
static size_t panels_of_shares(const lvae_conv2d_shape *shape, const conv_kernels *kernels) {
  size_t taps_per_panel = kernels->panel_floats / shape->out_channels;
  if (!taps_per_panel) return SIZE_MAX;
  return divide_up(shape->kernel_height * shape->kernel_width, taps_per_panel);
}

/// Whether a 3×3 convolution of stride 2 is worth its transforms (a sixth of 81 multiplications a
/// tile instead of 9 a pixel) and its packed weights, eleven times as large as the plain ones.
static bool strided_pays(const lvae_conv2d_shape *shape) {
  size_t tiles = divide_up(shape->out_height, 4) * divide_up(shape->out_width, 4);
  size_t pixels = shape->out_height * shape->out_width;
  return tiles * 81 * 7 / 6 < pixels * 9 && shape->batch * pixels >= 256;
}

/// Whether there are so few tiles for so many weights that reading the transformed ones, four times
/// as large as the plain, takes longer than the multiplications that they save.
static bool weights_outweigh_tiles(const lvae_conv2d_shape *shape) {
  size_t tiles = divide_up(shape->out_height, 4) * divide_up(shape->out_width, 4);
  return shape->batch * tiles <= 4 && shape->in_channels * shape->out_channels >= 1 << 14;
}

/// The choice for such shapes: tiles of 2×2 pixels save fewer multiplications, with weights less
/// than twice as large as the plain.
static conv_algorithm choose_for_few_tiles(const lvae_conv2d_shape *shape) {
  size_t tiles_2x2 = divide_up(shape->out_height, 2) * divide_up(shape->out_width, 2);
  return shape->batch * tiles_2x2 >= 12 ? conv_winograd_2x2 : conv_direct;
}

/// The side of a tile of the output.
static size_t tile_side(conv_algorithm algorithm) {
  switch (algorithm) {
    case conv_winograd_2x2: return 2;
    case conv_winograd_6x6: return 6;
    default: return 4;
  }
}

/// The choice of algorithm, all of it.
static conv_algorithm choose_algorithm(
    const lvae_conv2d_shape *shape, const conv_kernels *kernels, lvae_conv2d_accuracy accuracy) {
  if (shape->upsample || shape->transposed) return conv_phases_4x4;
  bool is_1x1 = shape->kernel_height == 1 && shape->kernel_width == 1;
  bool is_3x3 = shape->kernel_height == 3 && shape->kernel_width == 3;
  if (is_1x1) return conv_direct;
  if (shape->in_channels < kernels->vector_floats) return conv_few_inputs;
  // Winograd's 36 frequencies for 16 pixels cost as much as 2.25 panels a pixel.
  if (shape->stride == 1 && panels_of_shares(shape, kernels) <= 2) return conv_few_outputs;
  if (!is_3x3 || shape->in_channels < 16) return conv_direct;
  if (shape->stride == 2) return strided_pays(shape) ? conv_strided_4x4 : conv_direct;
  if (shape->stride != 1) return conv_direct;
  if (weights_outweigh_tiles(shape)) return choose_for_few_tiles(shape);
  if (accuracy != lvae_conv2d_accuracy_fast) return conv_winograd_4x4;
  // Multiplications of the two tilings, edges included.
  size_t tiles_4x4 = divide_up(shape->out_height, 4) * divide_up(shape->out_width, 4);
  size_t tiles_6x6 = divide_up(shape->out_height, 6) * divide_up(shape->out_width, 6);
  return tiles_6x6 * 64 < tiles_4x4 * 36 ? conv_winograd_6x6 : conv_winograd_4x4;
}

/// Cuts the output into strips of at most `rows` × `columns`.
static void plan_strips(lvae_conv2d_plan *plan, size_t rows, size_t columns) {
  const lvae_conv2d_shape *shape = &plan->shape;
  conv_strip_blocking *strips = &plan->strips;
  strips->across = divide_up(shape->out_width, columns);
  strips->columns = divide_up(shape->out_width, strips->across);
  strips->down = divide_up(shape->out_height, rows);
  strips->rows = divide_up(shape->out_height, strips->down);
  strips->panels_per_group = plan->panels;
  strips->groups = 1;
  strips->input_rows = (strips->rows - 1) * shape->stride + shape->kernel_height;
  strips->input_columns = (strips->columns - 1) * shape->stride + shape->kernel_width;
  strips->column_run = divide_up(strips->input_columns, shape->stride);
  plan->tasks = shape->batch * strips->down * strips->across;
}

/// Where there are too few strips, gives each to several tasks, by output panels.
static void split_panels(lvae_conv2d_plan *plan) {
  size_t groups = smaller(divide_up(fewest_tasks, plan->tasks), plan->panels);
  plan->strips.panels_per_group = divide_up(plan->panels, groups);
  plan->strips.groups = divide_up(plan->panels, plan->strips.panels_per_group);
  plan->tasks *= plan->strips.groups;
}

/// Rows of a strip of about 224 pixels, which reuses each weight often and fits the second cache
/// level.
static size_t rows_of_strip(const lvae_conv2d_shape *shape, size_t columns) {
  return larger(224 / smaller(shape->out_width, columns), 1);
}

static void plan_direct(lvae_conv2d_plan *plan) {
  // A 1×1 convolution doesn't know of rows: one long row.
  lvae_conv2d_shape *shape = &plan->shape;
  if (shape->kernel_height == 1 && shape->kernel_width == 1 && shape->stride == 1 &&
      !shape->pad_top && !shape->pad_left && shape->height == shape->out_height &&
      shape->width == shape->out_width) {
    shape->width = shape->out_width = shape->batch * shape->height * shape->width;
    shape->batch = shape->height = shape->out_height = 1;
  }
  size_t columns = 8 * plan->kernels->tile_rows;
  plan_strips(plan, rows_of_strip(shape, columns), columns);
  split_panels(plan);
  conv_strip_blocking *strips = &plan->strips;
  size_t vector = plan->kernels->vector_floats;
  size_t row_floats = shape->stride * strips->column_run * vector;
  strips->row_step = shape->stride * row_floats;
  for (size_t block = 0; block < plan->channel_blocks; block++)
    for (size_t ky = 0; ky < shape->kernel_height; ky++)
      for (size_t kx = 0; kx < shape->kernel_width; kx++) {
        size_t row = block * strips->input_rows + ky;
        size_t column = kx % shape->stride * strips->column_run + kx / shape->stride;
        plan->offsets[plan->product_blocks++] = (ptrdiff_t)(row * row_floats + column * vector);
      }
  plan->scratch_floats = plan->channel_blocks * strips->input_rows * row_floats;
}

static void plan_few_inputs(lvae_conv2d_plan *plan) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t columns = 8 * plan->kernels->tile_rows, vector = plan->kernels->vector_floats;
  plan_strips(plan, rows_of_strip(shape, columns), columns);
  split_panels(plan);
  conv_strip_blocking *strips = &plan->strips;
  strips->row_step = strips->columns * vector;
  size_t window = shape->kernel_height * shape->kernel_width * shape->in_channels;
  plan->product_blocks = divide_up(window, vector);
  size_t block_floats = strips->rows * strips->row_step;
  for (size_t block = 0; block < plan->product_blocks; block++)
    plan->offsets[block] = (ptrdiff_t)(block * block_floats);
  // The matrix, the padded input and one row of windows, each with a vector to spare.
  plan->scratch_floats = plan->product_blocks * block_floats +
                         strips->input_rows * strips->input_columns * shape->in_channels + vector +
                         strips->columns * (plan->product_blocks + 1) * vector + vector;
}

static void plan_few_outputs(lvae_conv2d_plan *plan) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_kernels *kernels = plan->kernels;
  plan->panels = panels_of_shares(shape, kernels);
  // Neighbouring strips compute the shares of their common edge twice: as tall as the number of
  // tasks allows.
  size_t columns = 64, across = divide_up(shape->out_width, columns);
  size_t rows = shape->batch * across * shape->out_height / fewest_tasks;
  plan_strips(plan, smaller(larger(rows, 4), 16), columns);
  conv_strip_blocking *strips = &plan->strips;
  size_t block_floats = strips->input_columns * kernels->vector_floats;
  plan->product_blocks = plan->channel_blocks;
  for (size_t block = 0; block < plan->product_blocks; block++)
    plan->offsets[block] = (ptrdiff_t)(block * block_floats);
  // One row of input, the shares, and one row of sums with vectors to spare.
  plan->scratch_floats =
      plan->channel_blocks * block_floats +
      plan->panels * strips->input_rows * strips->input_columns * kernels->panel_floats +
      strips->columns * shape->out_channels + 3 * kernels->vector_floats;
}

size_t conv_frequency_stride(size_t floats) { return divide_up(floats, 16) / 2 * 32 + 16; }

static void plan_winograd(lvae_conv2d_plan *plan, lvae_conv2d_accuracy accuracy) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_kernels *kernels = plan->kernels;
  conv_winograd_blocking *winograd = &plan->winograd;
  winograd->tile = tile_side(plan->algorithm);
  bool has_two_taps =
      plan->algorithm == conv_phases_4x4 || plan->algorithm == conv_strided_4x4;
  winograd->alpha = winograd->tile + (has_two_taps ? 1 : 2);
  winograd->phases = plan->algorithm == conv_phases_4x4 ? 4 : 1;
  winograd->components = plan->algorithm == conv_strided_4x4 ? 4 : 1;
  size_t step = winograd->phases == 1 ? 1 : 2;
  winograd->tiles_down = divide_up(shape->out_height / step, winograd->tile);
  winograd->tiles_across = divide_up(shape->out_width / step, winograd->tile);
  winograd->tiles = shape->batch * winograd->tiles_down * winograd->tiles_across;

  // More channels make transformed weights larger, which more tiles a block pay for. Few channels of
  // large tiles, or of four components, fit the second cache level with half as many.
  size_t channels = plan->channel_blocks * kernels->vector_floats;
  size_t few = winograd->alpha == 8 || winograd->components > 1 ? 14 : 28;
  size_t most = channels <= 128 ? few : channels <= 256 ? 56 : 112;
  most -= most % kernels->tile_rows;  // whole products
  // From 512 on they exceed the third cache level and are read from memory for every block: half
  // as many blocks are 5 to 9 % faster.
  size_t fewest_blocks = channels < 512 ? fewest_tasks : fewest_tasks / 2;
  size_t wanted = larger(divide_up(winograd->tiles, fewest_blocks), kernels->tile_rows);
  // Weights beyond the second cache level are read anew for every block: of few tiles fewer blocks,
  // or a single one, whose tasks share out the panels.
  size_t weights = winograd->alpha * winograd->alpha * winograd->components * channels *
                   plan->panels * kernels->panel_floats;
  bool is_heavy = weights * sizeof(float) > cached_bytes;
  if (is_heavy && winograd->tiles <= 3 * kernels->tile_rows) most = wanted = winograd->tiles;
  else if (is_heavy) wanted = larger(wanted, 2 * kernels->tile_rows);
  size_t blocks = divide_up(winograd->tiles, smaller(most, wanted));
  if (blocks > 1) blocks += blocks % 2;  // few large blocks share out evenly
  winograd->tiles_per_block = divide_up(winograd->tiles, blocks);
  blocks = divide_up(winograd->tiles, winograd->tiles_per_block);
  // Within a task, a block's input is fetched during the one before.
  winograd->blocks_per_task = smaller(larger(blocks / 32, 1), 8);
  plan->tasks = divide_up(blocks, winograd->blocks_per_task);
  // Tiny images are split by output panels, though each task transforms its input anew.
  size_t fewest = is_heavy && blocks == 1 ? fewest_tasks : fewest_tasks / 2;
  size_t groups = smaller(divide_up(fewest, plan->tasks), plan->panels);
  winograd->panels_per_group = divide_up(plan->panels, groups);
  winograd->groups = divide_up(plan->panels, winograd->panels_per_group);
  plan->tasks *= winograd->groups;

  size_t sum_channels = accuracy == lvae_conv2d_accuracy_strict ? 64 : 128;
  plan->product_blocks = plan->channel_blocks;
  winograd->blocks_per_sum = sum_channels / kernels->vector_floats;
  for (size_t block = 0; block < plan->channel_blocks; block++)
    plan->offsets[block] =
        (ptrdiff_t)(block * winograd->tiles_per_block * kernels->vector_floats);

  size_t frequencies = winograd->alpha * winograd->alpha;
  size_t output_channels = winograd->panels_per_group * kernels->panel_floats;
  winograd->input_stride = winograd->product_stride = conv_frequency_stride(
      larger(winograd->components * channels, output_channels) * winograd->tiles_per_block);
  plan->scratch_floats = (frequencies + 1) * winograd->input_stride;
  plan->packed_count = winograd->phases * winograd->components * frequencies * channels *
                       plan->panels * kernels->panel_floats;
  plan->pack_tasks = plan->panels * divide_up(channels, 64);
}

lvae_conv2d_plan *lvae_conv2d_plan_create(
    const lvae_conv2d_shape *shape, lvae_isa isa, lvae_conv2d_accuracy accuracy) {
  if (!shape_is_supported(shape)) return NULL;
  const conv_kernels *kernels = conv_kernels_of(isa);
  size_t channel_blocks = divide_up(shape->in_channels, kernels->vector_floats);
  size_t offsets = channel_blocks * shape->kernel_height * shape->kernel_width;
  lvae_conv2d_plan *plan = calloc(1, sizeof *plan + offsets * sizeof plan->offsets[0]);
  if (!plan) return NULL;
  plan->shape = *shape;
  plan->kernels = kernels;
  plan->algorithm = choose_algorithm(shape, kernels, accuracy);
  plan->channel_blocks = channel_blocks;
  plan->panels = divide_up(shape->out_channels, kernels->panel_floats);
  size_t outputs =
      shape->batch * shape->out_height * shape->out_width * shape->out_channels;
  // Only a vector that is a whole cache line can be streamed without reading the line.
  plan->streams = kernels->vector_floats == 16 && shape->out_channels % 16 == 0 &&
                  outputs * sizeof(float) > streamed_bytes;
  switch (plan->algorithm) {
    case conv_direct: plan_direct(plan); break;
    case conv_few_inputs: plan_few_inputs(plan); break;
    case conv_few_outputs: plan_few_outputs(plan); break;
    case conv_winograd_2x2:
    case conv_winograd_4x4:
    case conv_winograd_6x6:
    case conv_phases_4x4:
    case conv_strided_4x4: plan_winograd(plan, accuracy); return plan;
  }
  plan->packed_count =
      plan->panels * plan->product_blocks * kernels->vector_floats * kernels->panel_floats;
  plan->pack_tasks = plan->panels;
  return plan;
}

void lvae_conv2d_plan_destroy(lvae_conv2d_plan *plan) { free(plan); }

const char *lvae_conv2d_algorithm_name(const lvae_conv2d_plan *plan) {
  switch (plan->algorithm) {
    case conv_direct: return "direct";
    case conv_few_inputs: return "few-inputs";
    case conv_few_outputs: return "few-outputs";
    case conv_winograd_2x2: return "winograd-2x2";
    case conv_winograd_4x4: return "winograd-4x4";
    case conv_winograd_6x6: return "winograd-6x6";
    case conv_phases_4x4: return "phases-4x4";
    case conv_strided_4x4: return "strided-4x4";
  }
  return "unknown";
}

size_t lvae_conv2d_packed_count(const lvae_conv2d_plan *plan) { return plan->packed_count; }

size_t lvae_conv2d_pack_task_count(const lvae_conv2d_plan *plan) { return plan->pack_tasks; }

void lvae_conv2d_pack_task(
    const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t task) {
  plan->kernels->pack[plan->algorithm](plan, weights, packed, task);
}

size_t lvae_conv2d_scratch_bytes(const lvae_conv2d_plan *plan) {
  return plan->scratch_floats * sizeof(float);
}

size_t lvae_conv2d_task_count(const lvae_conv2d_plan *plan) { return plan->tasks; }

void lvae_conv2d_run_task(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, void *scratch, size_t task) {
  plan->kernels->run[plan->algorithm](plan, x, packed, y, epilogue, scratch, task);
}
