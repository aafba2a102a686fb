// The direct algorithm: any kernel and stride, as products over a strip of the input.
#pragma once
#include "convolution_output.h"
#include "tile_product.h"

/// A panel of the rows of a matrix [rows][Co], as rows of panel_floats; missing columns are zeros.
INLINE void pack_panel_row(
    const lvae_conv2d_plan *plan, const float *matrix, size_t row, size_t panel, float *target) {
  size_t channels = plan->shape.out_channels, first = panel * panel_floats;
  size_t lanes = smaller(channels - first, panel_floats);
  memset(target, 0, panel_floats * sizeof *target);
  memcpy(target, matrix + row * channels + first, lanes * sizeof *target);
}

/// Packed weights: [panel][channel block][kh][kw][vector][panel]; a task packs one panel.
static void direct_pack(
    const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t panel) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t taps = shape->kernel_height * shape->kernel_width;
  float *target = packed + panel * plan->product_blocks * vector_floats * panel_floats;
  for (size_t block = 0; block < plan->channel_blocks; block++)
    for (size_t tap = 0; tap < taps; tap++)
      for (size_t k = 0; k < vector_floats; k++, target += panel_floats) {
        size_t channel = block * vector_floats + k;
        if (channel < shape->in_channels)
          pack_panel_row(plan, weights, tap * shape->in_channels + channel, panel, target);
        else memset(target, 0, panel_floats * sizeof *target);
      }
}

/// The part of the output that a task computes.
typedef struct {
  size_t image, first_row, first_column, rows, columns;
  size_t first_panel, last_panel;
} conv_strip;

INLINE conv_strip strip_of_task(const lvae_conv2d_plan *plan, size_t task) {
  const conv_strip_blocking *blocking = &plan->strips;
  size_t group = task % blocking->groups, strip = task / blocking->groups;
  size_t across = strip % blocking->across, down = strip / blocking->across % blocking->down;
  size_t first_row = down * blocking->rows, first_column = across * blocking->columns;
  size_t first_panel = group * blocking->panels_per_group;
  return (conv_strip){
      .image = strip / blocking->across / blocking->down,
      .first_row = first_row,
      .first_column = first_column,
      .rows = smaller(blocking->rows, plan->shape.out_height - first_row),
      .columns = smaller(blocking->columns, plan->shape.out_width - first_column),
      .first_panel = first_panel,
      .last_panel = smaller(first_panel + blocking->panels_per_group, plan->panels)};
}

/// Rows or columns of the input under so many of the output.
INLINE size_t input_extent(size_t outputs, size_t kernel, size_t stride) {
  return (outputs - 1) * stride + kernel;
}

/// Copies row `r` of the input under a strip to [channel block][column][vector], blocks starting
/// `block_floats` apart and columns sorted by their remainder modulo the stride; zeros outside of
/// the image.
INLINE void pack_row(
    const lvae_conv2d_plan *plan, const float *x, const conv_strip *strip, size_t r,
    size_t block_floats, float *target) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t stride = shape->stride, channels = shape->in_channels;
  ptrdiff_t height = (ptrdiff_t)shape->height, width = (ptrdiff_t)shape->width;
  ptrdiff_t iy = (ptrdiff_t)(strip->first_row * stride + r) - shape->pad_top;
  size_t columns = input_extent(strip->columns, shape->kernel_width, stride);
  for (size_t c = 0; c < columns; c++) {
    ptrdiff_t ix = (ptrdiff_t)(strip->first_column * stride + c) - shape->pad_left;
    bool inside = iy >= 0 && iy < height && ix >= 0 && ix < width;
    const float *pixel =
        x + (((ptrdiff_t)strip->image * height + iy) * width + ix) * (ptrdiff_t)channels;
    size_t place = c % stride * plan->strips.column_run + c / stride;
    float *vector = target + place * vector_floats;
    for (size_t channel = 0; channel < channels; channel += vector_floats) {
      size_t lanes = lanes_from(channel, channels);
      store_aligned(vector, inside ? load_part(pixel + channel, lanes) : (vec){0});
      vector += block_floats;
    }
  }
}

/// Writes the products of `rows` neighbouring pixels, of which the first is number `pixel`.
INLINE void write_tile(
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

/// Multiplies a packed strip and writes its part of y.
static void multiply_strip(
    const lvae_conv2d_plan *plan, const float *a, const float *packed, const conv_strip *strip,
    const conv_output *out) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t panel_weights = plan->product_blocks * vector_floats * panel_floats;
  _Alignas(64) float tile[tile_rows * panel_floats];
  for (size_t panel = strip->first_panel; panel < strip->last_panel; panel++)
    for (size_t r = 0; r < strip->rows; r++)
      for (size_t c = 0; c < strip->columns; c += tile_rows) {
        size_t pixels = smaller(strip->columns - c, tile_rows);
        tile_product(
            pixels, plan->product_blocks, plan->offsets,
            a + r * plan->strips.row_step + c * vector_floats, packed + panel * panel_weights, tile,
            false);
        size_t row = strip->image * shape->out_height + strip->first_row + r;
        size_t pixel = row * shape->out_width + strip->first_column + c;
        write_tile(out, tile, pixels, pixel, panel * panel_floats);
      }
}

static void direct_run(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task) {
  conv_strip strip = strip_of_task(plan, task);
  conv_output out = make_output(plan, y, epilogue);
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t row_floats = shape->stride * plan->strips.column_run * vector_floats;
  for (size_t r = 0; r < input_extent(strip.rows, shape->kernel_height, shape->stride); r++)
    pack_row(
        plan, x, &strip, r, plan->strips.input_rows * row_floats, scratch + r * row_floats);
  multiply_strip(plan, scratch, packed, &strip, &out);
  finish_output(&out);
}
