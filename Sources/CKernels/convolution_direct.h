// The direct algorithm: any kernel and stride, as products over a strip of the input.
#pragma once
#include "convolution_output.h"
#include "tile_product.h"

/// Packed weights: [panel][channel block][kh][kw][vector][panel]; a task packs one panel.
static void direct_pack(
    const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t panel) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t taps = shape->kernel_height * shape->kernel_width;
  size_t first = panel * panel_floats;
  size_t lanes = smaller(shape->out_channels - first, panel_floats);
  float *target = packed + panel * plan->channel_blocks * taps * vector_floats * panel_floats;
  for (size_t block = 0; block < plan->channel_blocks; block++)
    for (size_t tap = 0; tap < taps; tap++)
      for (size_t k = 0; k < vector_floats; k++, target += panel_floats) {
        size_t channel = block * vector_floats + k;
        memset(target, 0, panel_floats * sizeof *target);
        if (channel >= shape->in_channels) continue;
        size_t row = tap * shape->in_channels + channel;
        memcpy(target, weights + row * shape->out_channels + first, lanes * sizeof *target);
      }
}

/// Copies the input of a strip, whose first row and column may lie in the padding.
static void direct_pack_strip(
    const lvae_conv2d_plan *plan, const float *image, ptrdiff_t first_row, ptrdiff_t first_column,
    size_t rows, size_t columns, float *strip) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_direct_blocking *direct = &plan->direct;
  size_t row_floats = shape->stride * direct->column_run * vector_floats;
  size_t block_floats = direct->input_rows * row_floats;
  for (size_t r = 0; r < rows; r++) {
    ptrdiff_t y = first_row + (ptrdiff_t)r;
    for (size_t c = 0; c < columns; c++) {
      ptrdiff_t x = first_column + (ptrdiff_t)c;
      size_t place = c % shape->stride * direct->column_run + c / shape->stride;
      float *target = strip + r * row_floats + place * vector_floats;
      bool inside = y >= 0 && y < (ptrdiff_t)shape->height && x >= 0 && x < (ptrdiff_t)shape->width;
      const float *pixel = image + (y * (ptrdiff_t)shape->width + x) * (ptrdiff_t)shape->in_channels;
      for (size_t block = 0; block < plan->channel_blocks; block++) {
        size_t channel = block * vector_floats;
        size_t lanes = lanes_from(channel, shape->in_channels);
        vec value = inside ? load_part(pixel + channel, lanes) : (vec){0};
        store_aligned(target + block * block_floats, value);
      }
    }
  }
}

/// Writes the products of `rows` neighbouring pixels, of which the first is number `pixel`.
INLINE void direct_write_tile(
    const conv_output *out, const float *tile, size_t rows, size_t pixel, size_t first_channel) {
  for (size_t half = 0; half < 2; half++) {
    size_t channel = first_channel + half * vector_floats;
    size_t lanes = lanes_from(channel, out->channels);
    if (!lanes) return;
    vec bias = load_bias(out, channel, lanes);
    for (size_t r = 0; r < rows; r++)
      write_output(
          out, (pixel + r) * out->channels + channel, lanes,
          load_aligned(tile + r * panel_floats + half * vector_floats), bias);
  }
}

static void direct_run(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_direct_blocking *direct = &plan->direct;
  size_t group = task % direct->groups, strip = task / direct->groups;
  size_t across = strip % direct->strips_across;
  size_t down = strip / direct->strips_across % direct->strips_down;
  size_t image = strip / direct->strips_across / direct->strips_down;
  size_t first_row = down * direct->strip_rows, first_column = across * direct->strip_columns;
  size_t rows = smaller(direct->strip_rows, shape->out_height - first_row);
  size_t columns = smaller(direct->strip_columns, shape->out_width - first_column);

  direct_pack_strip(
      plan, x + image * shape->height * shape->width * shape->in_channels,
      (ptrdiff_t)(first_row * shape->stride) - shape->pad_top,
      (ptrdiff_t)(first_column * shape->stride) - shape->pad_left,
      (rows - 1) * shape->stride + shape->kernel_height,
      (columns - 1) * shape->stride + shape->kernel_width, scratch);

  conv_output out = make_output(plan, y, epilogue);
  size_t blocks = plan->channel_blocks * shape->kernel_height * shape->kernel_width;
  size_t row_floats = shape->stride * direct->column_run * vector_floats;
  size_t first_panel = group * direct->panels_per_group;
  size_t last_panel = smaller(first_panel + direct->panels_per_group, plan->panels);
  _Alignas(64) float tile[tile_rows * panel_floats];
  for (size_t panel = first_panel; panel < last_panel; panel++)
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < columns; c += tile_rows) {
        size_t pixels = smaller(columns - c, tile_rows);
        tile_product(
            pixels, blocks, plan->offsets,
            scratch + r * shape->stride * row_floats + c * vector_floats,
            packed + panel * blocks * vector_floats * panel_floats, tile, false);
        size_t pixel = (image * shape->out_height + first_row + r) * shape->out_width +
                       first_column + c;
        direct_write_tile(&out, tile, pixels, pixel, panel * panel_floats);
      }
  finish_output(&out);
}
