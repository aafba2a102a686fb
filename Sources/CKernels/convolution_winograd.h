// The Winograd algorithms: transform tiles of the input, multiply each of the α² frequencies with
// the transformed weights, transform back. All three steps are done for a block of tiles, so that
// what is between them stays in the second cache level.
#pragma once
#include "convolution_output.h"
#include "prefetch.h"
#include "tile_product.h"
#include "winograd_transforms.h"

enum {
  // Channel blocks of a tile transformed at a stretch: whole cache lines of the input, and few enough
  // of the transform's α² streams that their lines stay in the first cache level from tile to tile.
  group_blocks = 4,
  // Input channels packed by one task.
  channels_per_pack = 64,
};

/// The rows (or columns) of the kernel, as bits, that fall on tap `tap` of one axis of a phase.
/// Nearest ×2 makes neighbouring taps read the same input; a transposed convolution of stride 2
/// uses every other tap.
INLINE unsigned kernel_bits(const lvae_conv2d_shape *shape, size_t phase, size_t tap) {
  static const unsigned upsampled[2][2] = {{1, 2 | 4}, {1 | 2, 4}};
  static const unsigned transposed[2][2] = {{8, 2}, {4, 1}};
  if (shape->upsample) return upsampled[phase][tap];
  if (shape->transposed) return transposed[phase][tap];
  return 1u << tap;
}

/// The kernel [taps][taps] of a phase, for one input channel and a vector of output channels.
INLINE void gather_taps(
    const lvae_conv2d_shape *shape, const size_t taps, size_t phase, const float *weights,
    size_t lanes, double_vec kernel[taps * taps]) {
  size_t side = shape->kernel_height;
  for (size_t i = 0; i < taps; i++)
    for (size_t j = 0; j < taps; j++) {
      unsigned rows = kernel_bits(shape, phase / 2, i), columns = kernel_bits(shape, phase % 2, j);
      double_vec sum = {0};
      for (size_t ky = 0; ky < side; ky++)
        for (size_t kx = 0; kx < side; kx++) {
          if (!(rows >> ky & 1) || !(columns >> kx & 1)) continue;
          size_t row = (ky * side + kx) * shape->in_channels;
          sum += __builtin_convertvector(
              load_part(weights + row * shape->out_channels, lanes), double_vec);
        }
      kernel[i * taps + j] = sum;
    }
}

/// Packed weights: [phase][alpha²][panel][channel][panel], computed in double. A task packs some
/// channels of one panel.
INLINE void winograd_pack_body(
    const size_t alpha, const size_t taps, const lvae_conv2d_plan *plan, const float *weights,
    float *packed, size_t task) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t panel = task % plan->panels;
  size_t channels = plan->channel_blocks * vector_floats;
  size_t first = task / plan->panels * channels_per_pack;
  size_t last = smaller(first + channels_per_pack, channels);
  size_t stride = plan->panels * channels * panel_floats;  // between frequencies
  for (size_t phase = 0; phase < plan->winograd.phases; phase++)
    for (size_t channel = first; channel < last; channel++)
      for (size_t half = 0; half < 2; half++) {
        size_t out_channel = panel * panel_floats + half * vector_floats;
        size_t lanes = lanes_from(out_channel, shape->out_channels);
        float *target = packed + phase * alpha * alpha * stride +
                        (panel * channels + channel) * panel_floats + half * vector_floats;
        double_vec kernel[taps * taps], rows[alpha * taps];
        if (channel >= shape->in_channels) lanes = 0;
        gather_taps(
            shape, taps, phase, weights + channel * shape->out_channels + out_channel, lanes,
            kernel);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < alpha; i++)
#pragma clang loop unroll(full)
          for (size_t j = 0; j < taps; j++) {
            double_vec sum = {0};
#pragma clang loop unroll(full)
            for (size_t k = 0; k < taps; k++)
              sum += weight_coefficient(alpha, i, k) * kernel[k * taps + j];
            rows[i * taps + j] = sum;
          }
#pragma clang loop unroll(full)
        for (size_t i = 0; i < alpha; i++)
#pragma clang loop unroll(full)
          for (size_t j = 0; j < alpha; j++) {
            double_vec sum = {0};
#pragma clang loop unroll(full)
            for (size_t k = 0; k < taps; k++)
              sum += weight_coefficient(alpha, j, k) * rows[i * taps + k];
            store_aligned(
                target + (i * alpha + j) * stride, __builtin_convertvector(sum, vec));
          }
      }
}

/// A run of tiles side by side in one image.
typedef struct {
  size_t image, tile_y, tile_x, count;
} tile_run;

/// The run that starts at tile number `tile` and ends before tile `end` or with its row.
INLINE tile_run run_from(const conv_winograd_blocking *winograd, size_t tile, size_t end) {
  size_t row = tile / winograd->tiles_across, tile_x = tile % winograd->tiles_across;
  return (tile_run){
      .image = row / winograd->tiles_down,
      .tile_y = row % winograd->tiles_down,
      .tile_x = tile_x,
      .count = smaller(winograd->tiles_across - tile_x, end - tile)};
}

/// The rows of the input under one row of tiles.
typedef struct {
  const float *image;
  ptrdiff_t first_row, height, width, channels;
  bool rows_inside;
} input_band;

/// Transforms column `x` of a band, for one vector of channels: out[alpha].
INLINE void transform_column(
    const size_t alpha, const input_band *band, ptrdiff_t x, size_t channel, size_t lanes,
    vec *out) {
  vec column[8];
  for (size_t i = 0; i < alpha; i++) {
    ptrdiff_t y = band->first_row + (ptrdiff_t)i;
    bool inside = y >= 0 && y < band->height && x >= 0 && x < band->width;
    const float *pixel = band->image + (y * band->width + x) * band->channels;
    column[i] = inside ? load_part(pixel + channel, lanes) : (vec){0};
  }
  transform_input(alpha, column, out);
}

/// The same for the `tile_of(alpha)` columns from `x`, all inside and with all lanes.
INLINE void transform_inner_columns(
    const size_t alpha, const input_band *band, ptrdiff_t x, size_t channel,
    vec *const out[alpha]) {
  const size_t tile = tile_of(alpha), overlap = alpha - tile;
  ptrdiff_t row_stride = band->width * band->channels;
  const float *corner =
      band->image + (band->first_row * band->width + x) * band->channels + channel;
#pragma clang loop unroll(full)
  for (size_t j = 0; j < tile; j++) {
    const float *pixel = corner + (ptrdiff_t)j * band->channels;
    vec column[8];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < alpha; i++) column[i] = load(pixel + (ptrdiff_t)i * row_stride);
    transform_input(alpha, column, out[overlap + j]);
  }
}

/// Transforms a run of tiles into V[alpha²][channel block][tile][vector]; `v` is the first tile's
/// place. Neighbouring tiles share alpha − tile columns, whose first transform is kept in a ring.
INLINE void transform_input_run(
    const size_t alpha, const lvae_conv2d_plan *plan, const float *x, tile_run run, size_t phase,
    float *v) {
  const size_t tile = tile_of(alpha), overlap = alpha - tile;
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_winograd_blocking *winograd = &plan->winograd;
  ptrdiff_t top = (ptrdiff_t)(run.tile_y * tile) - shape->pad_top + (ptrdiff_t)(phase / 2);
  ptrdiff_t left = (ptrdiff_t)(run.tile_x * tile) - shape->pad_left + (ptrdiff_t)(phase % 2);
  input_band band = {
      .image = x + run.image * shape->height * shape->width * shape->in_channels,
      .first_row = top,
      .height = (ptrdiff_t)shape->height,
      .width = (ptrdiff_t)shape->width,
      .channels = (ptrdiff_t)shape->in_channels,
      .rows_inside = top >= 0 && top + (ptrdiff_t)alpha <= (ptrdiff_t)shape->height};
  size_t block_floats = winograd->tiles_per_block * vector_floats;
  vec ring[group_blocks][8][8];

  for (size_t group = 0; group < plan->channel_blocks; group += group_blocks) {
    size_t blocks = smaller(plan->channel_blocks - group, group_blocks);
    for (size_t b = 0; b < blocks; b++)
      for (size_t j = 0; j < overlap; j++) {
        size_t channel = (group + b) * vector_floats;
        transform_column(
            alpha, &band, left + (ptrdiff_t)j, channel, lanes_from(channel, shape->in_channels),
            ring[b][j]);
      }
    size_t start = 0;  // the ring's place of the tile's first column
    for (size_t t = 0; t < run.count; t++, start = (start + tile) % alpha) {
      ptrdiff_t first = left + (ptrdiff_t)(t * tile + overlap);
      bool inside =
          band.rows_inside && first >= 0 && first + (ptrdiff_t)tile <= (ptrdiff_t)shape->width;
      for (size_t b = 0; b < blocks; b++) {
        size_t channel = (group + b) * vector_floats;
        size_t lanes = lanes_from(channel, shape->in_channels);
        vec *columns[alpha];
        for (size_t j = 0; j < alpha; j++) columns[j] = ring[b][(start + j) % alpha];
        if (inside && lanes == vector_floats) {
          transform_inner_columns(alpha, &band, first, channel, columns);
        } else {
          for (size_t j = 0; j < tile; j++)
            transform_column(
                alpha, &band, first + (ptrdiff_t)j, channel, lanes, columns[overlap + j]);
        }
        float *target = v + (group + b) * block_floats + t * vector_floats;
#pragma clang loop unroll(full)
        for (size_t i = 0; i < alpha; i++) {
          vec row[8], out[8];
#pragma clang loop unroll(full)
          for (size_t j = 0; j < alpha; j++) row[j] = columns[j][i];
          transform_input(alpha, row, out);
#pragma clang loop unroll(full)
          for (size_t j = 0; j < alpha; j++)
            store_aligned(target + (i * alpha + j) * winograd->input_stride, out[j]);
        }
      }
    }
  }
}

/// Where the pixels of a tile stand, and how many of them exist.
typedef struct {
  size_t first, row_step, pixel_step;  // floats of y
  size_t rows, columns;
} output_tile;

INLINE output_tile make_output_tile(
    const size_t alpha, const lvae_conv2d_plan *plan, const tile_run *run, size_t t, size_t phase) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t tile = tile_of(alpha), step = plan->winograd.phases == 1 ? 1 : 2;
  size_t y = run->tile_y * tile * step + phase / 2;
  size_t x = (run->tile_x + t) * tile * step + phase % 2;
  return (output_tile){
      .first = ((run->image * shape->out_height + y) * shape->out_width + x) * shape->out_channels,
      .row_step = step * shape->out_width * shape->out_channels,
      .pixel_step = step * shape->out_channels,
      .rows = smaller(tile, (shape->out_height - y + step - 1) / step),
      .columns = smaller(tile, (shape->out_width - x + step - 1) / step)};
}

/// Transforms a tile of products back, for one vector of output channels, and writes its pixels.
/// `products` is the tile's place in [alpha²][panel][tile][panel]; `index` is its first float's in y.
/// A whole tile has all rows, columns and lanes.
INLINE void transform_output_tile(
    const size_t alpha, const bool is_whole, const output_kind kind, const conv_output *out,
    const float *products, size_t stride, const output_tile *place, size_t index, size_t lanes,
    vec bias) {
  const size_t tile = tile_of(alpha);
  vec columns[8][8];
#pragma clang loop unroll(full)
  for (size_t j = 0; j < alpha; j++) {
    vec column[8];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < alpha; i++)
      column[i] = load_aligned(products + (i * alpha + j) * stride);
    transform_output(alpha, column, columns[j]);
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < tile; i++) {
    vec row[8], pixels[8];
#pragma clang loop unroll(full)
    for (size_t j = 0; j < alpha; j++) row[j] = columns[j][i];
    transform_output(alpha, row, pixels);
    if (!is_whole && i >= place->rows) break;
#pragma clang loop unroll(full)
    for (size_t j = 0; j < tile; j++) {
      size_t pixel = index + i * place->row_step + j * place->pixel_step;
      if (is_whole) write_whole(out, kind, pixel, pixels[j], bias);
      else if (j < place->columns) write_output(out, pixel, lanes, pixels[j], bias);
    }
  }
}

/// Output panels from `first` to before `last`.
typedef struct {
  size_t first, last;
} panel_range;

INLINE void transform_output_run(
    const size_t alpha, const lvae_conv2d_plan *plan, const conv_output *out,
    const float *products, tile_run run, size_t phase, panel_range panels) {
  const size_t tile = tile_of(alpha);
  size_t stride = plan->winograd.product_stride;
  size_t panel_stride = plan->winograd.tiles_per_block * panel_floats;
  size_t end = smaller(panels.last * panel_floats, out->channels);
  for (size_t t = 0; t < run.count; t++) {
    output_tile place = make_output_tile(alpha, plan, &run, t, phase);
    bool has_all_pixels = place.rows == tile && place.columns == tile;
    for (size_t channel = panels.first * panel_floats; channel < end; channel += vector_floats) {
      size_t lanes = lanes_from(channel, out->channels);
      const float *source = products + (channel / panel_floats - panels.first) * panel_stride +
                            t * panel_floats + channel % panel_floats;
      vec bias = load_bias(out, channel, lanes);
#define TILE(is_whole, kind)                                                                      \
  transform_output_tile(                                                                          \
      alpha, is_whole, kind, out, source, stride, &place, place.first + channel, lanes, bias)
      if (!has_all_pixels || lanes < vector_floats) {
        TILE(false, output_plain);
        continue;
      }
      switch (out->kind) {
        case output_plain: TILE(true, output_plain); break;
        case output_with_residual: TILE(true, output_with_residual); break;
        case output_streamed: TILE(true, output_streamed); break;
        case output_streamed_with_residual: TILE(true, output_streamed_with_residual); break;
      }
#undef TILE
    }
  }
}

/// Adds the input that a run of tiles reads: `step` pixels along each axis for each tile, and `overlap`
/// more that the next tile reads, too.
INLINE void prefetch_input(
    const size_t step, const size_t overlap, const lvae_conv2d_plan *plan, const float *x,
    tile_run run, prefetch_list *list) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t first = run.tile_x * step;
  if (first >= shape->width) return;
  size_t columns = smaller(run.count * step + overlap, shape->width - first);
  for (size_t i = 0; i < step + overlap; i++) {
    ptrdiff_t y = (ptrdiff_t)(run.tile_y * step + i) - shape->pad_top;
    if (y < 0 || y >= (ptrdiff_t)shape->height) continue;
    size_t pixel = (run.image * shape->height + (size_t)y) * shape->width + first;
    prefetch_later(
        list, x + pixel * shape->in_channels, columns * shape->in_channels);
  }
}

/// The same for the block of tiles that begins at `first`.
INLINE void prefetch_block_input(
    const size_t step, const size_t overlap, const lvae_conv2d_plan *plan, const float *x,
    size_t first, prefetch_list *list) {
  const conv_winograd_blocking *winograd = &plan->winograd;
  size_t end = smaller(first + winograd->tiles_per_block, winograd->tiles);
  tile_run run;
  for (size_t t = first; t < end; t += run.count) {
    run = run_from(winograd, t, end);
    prefetch_input(step, overlap, plan, x, run, list);
  }
}

/// Adds the rows of y (or of what is added to it) under a run of tiles.
INLINE void prefetch_output(
    const size_t alpha, const lvae_conv2d_plan *plan, const float *y, tile_run run,
    size_t row_phase, prefetch_list *list) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t step = plan->winograd.phases == 1 ? 1 : 2, tile = tile_of(alpha);
  size_t first = run.tile_x * tile * step;
  size_t columns = smaller(run.count * tile * step, shape->out_width - first);
  for (size_t i = 0; i < tile; i++) {
    size_t row = (run.tile_y * tile + i) * step + row_phase;
    if (row >= shape->out_height) return;
    size_t pixel = (run.image * shape->out_height + row) * shape->out_width + first;
    prefetch_later(list, y + pixel * shape->out_channels, columns * shape->out_channels);
  }
}

/// The frequency along one axis that a component of a single tap has nothing at.
enum { strided_unused = 3 };

/// Whether a component of a strided convolution (see convolution_strided.h) has anything at a
/// frequency; the only component of others always has.
INLINE bool is_used_frequency(size_t row, size_t column, size_t component) {
  return !(component & 2 && row == strided_unused) && !(component & 1 && column == strided_unused);
}

/// product = V · U for some tiles of one frequency and panel, all components summed.
INLINE void multiply_components(
    const lvae_conv2d_plan *plan, size_t row, size_t column, size_t rows, const float *v,
    const float *u, float *product, prefetch_list *list) {
  const conv_winograd_blocking *winograd = &plan->winograd;
  size_t blocks = plan->channel_blocks, step = winograd->blocks_per_sum;
  size_t component_weights = blocks * vector_floats * panel_floats;
  size_t component_floats = blocks * winograd->tiles_per_block * vector_floats;
  bool accumulates = false;
  for (size_t component = 0; component < winograd->components; component++) {
    if (!is_used_frequency(row, column, component)) continue;
    for (size_t block = 0; block < blocks; block += step, accumulates = true)
      tile_product_fetching(
          rows, smaller(blocks - block, step), plan->offsets + block,
          v + component * component_floats,
          u + component * component_weights + block * vector_floats * panel_floats, product,
          accumulates, list);
  }
}

/// products[frequency] = V[frequency] · U[frequency] for the first `tiles` tiles of a block and
/// some panels, in order, so that products may take the place of what the frequency before was made
/// of; meanwhile fetches what is on the list.
static void multiply_frequencies(
    const lvae_conv2d_plan *plan, const float *v, const float *weights, float *products,
    size_t tiles, panel_range panels, prefetch_list *list) {
  const conv_winograd_blocking *winograd = &plan->winograd;
  size_t panel_weights =
      winograd->components * plan->channel_blocks * vector_floats * panel_floats;
  size_t alpha = winograd->alpha;
  // Products of about equal size: a few rows more than a full one would take as long as many.
  size_t products_per_panel = (tiles + tile_rows - 1) / tile_rows;
  size_t rows = (tiles + products_per_panel - 1) / products_per_panel;
  for (size_t row = 0; row < alpha; row++)
    for (size_t column = 0; column < alpha; column++) {
      size_t frequency = row * alpha + column;
      const float *input = v + frequency * winograd->input_stride;
      const float *u = weights + (frequency * plan->panels + panels.first) * panel_weights;
      float *product = products + frequency * winograd->product_stride;
      for (size_t panel = panels.first; panel < panels.last; panel++) {
        for (size_t t = 0; t < tiles; t += rows)
          multiply_components(
              plan, row, column, smaller(tiles - t, rows), input + t * vector_floats, u,
              product + t * panel_floats, list);
        u += panel_weights;
        product += winograd->tiles_per_block * panel_floats;
      }
    }
}

/// Tiles from `first` to before `end`.
typedef struct {
  size_t first, end;
} tile_range;

INLINE tile_range tiles_of_task(const lvae_conv2d_plan *plan, size_t task) {
  const conv_winograd_blocking *winograd = &plan->winograd;
  size_t count = winograd->blocks_per_task * winograd->tiles_per_block;
  size_t first = task / winograd->groups * count;
  return (tile_range){first, smaller(first + count, winograd->tiles)};
}

INLINE panel_range panels_of_task(const lvae_conv2d_plan *plan, size_t task) {
  size_t count = plan->winograd.panels_per_group, first = task % plan->winograd.groups * count;
  return (panel_range){first, smaller(first + count, plan->panels)};
}

/// One phase of the tiles from `first` to `end`, for some panels.
INLINE void winograd_block(
    const size_t alpha, const lvae_conv2d_plan *plan, const float *x, const float *weights,
    const conv_output *out, float *scratch, size_t phase, size_t first, size_t end,
    panel_range panels) {
  const conv_winograd_blocking *winograd = &plan->winograd;
  float *v = scratch + winograd->input_stride, *products = scratch;
  prefetch_list list = {0};
  tile_run run;
  for (size_t t = first; t < end; t += run.count) {
    run = run_from(winograd, t, end);
    transform_input_run(alpha, plan, x, run, phase, v + (t - first) * vector_floats);
    if (!is_streamed(out->kind) && phase % 2 == 0)
      prefetch_output(alpha, plan, out->y, run, phase / 2, &list);
    if (out->epilogue->residual && out->epilogue->residual != out->y && phase % 2 == 0)
      prefetch_output(alpha, plan, out->epilogue->residual, run, phase / 2, &list);
  }
  if (phase + 1 == winograd->phases)
    prefetch_block_input(tile_of(alpha), alpha - tile_of(alpha), plan, x, end, &list);
  multiply_frequencies(plan, v, weights, products, end - first, panels, &list);
  for (size_t t = first; t < end; t += run.count) {
    run = run_from(winograd, t, end);
    transform_output_run(
        alpha, plan, out, products + (t - first) * panel_floats, run, phase, panels);
  }
}

INLINE void winograd_run_body(
    const size_t alpha, const lvae_conv2d_plan *plan, const float *x, const float *packed,
    float *y, const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task) {
  const conv_winograd_blocking *winograd = &plan->winograd;
  conv_output out = make_output(plan, y, epilogue);
  panel_range panels = panels_of_task(plan, task);
  tile_range tiles = tiles_of_task(plan, task);
  size_t phase_weights = plan->packed_count / winograd->phases;
  for (size_t first = tiles.first; first < tiles.end; first += winograd->tiles_per_block)
    for (size_t phase = 0; phase < winograd->phases; phase++)
      winograd_block(
          alpha, plan, x, packed + phase * phase_weights, &out, scratch, phase, first,
          smaller(first + winograd->tiles_per_block, tiles.end), panels);
  finish_output(&out);
}

#define WINOGRAD(name, alpha, taps)                                                             \
  static void name##_pack(                                                                      \
      const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t task) {         \
    winograd_pack_body(alpha, taps, plan, weights, packed, task);                               \
  }                                                                                             \
  static void name##_run(                                                                       \
      const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,              \
      const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task) {                      \
    winograd_run_body(alpha, plan, x, packed, y, epilogue, scratch, task);                      \
  }
WINOGRAD(winograd_2x2, 4, 3)
WINOGRAD(winograd_4x4, 6, 3)
WINOGRAD(winograd_6x6, 8, 3)
WINOGRAD(phases_4x4, 5, 2)
#undef WINOGRAD
