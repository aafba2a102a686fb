// The first and last layers, which have too few channels on one side to fill a vector.
#pragma once
#include "convolution_direct.h"

// Few input channels: each pixel's whole window becomes one row of A, kernel rows side by side, and
// the convolution a product with [kh · kw · Ci][Co].

static void few_inputs_pack(
    const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t panel) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t rows = shape->kernel_height * shape->kernel_width * shape->in_channels;
  size_t padded_rows = plan->product_blocks * vector_floats;
  float *target = packed + panel * padded_rows * panel_floats;
  for (size_t row = 0; row < rows; row++)
    pack_panel_row(plan, weights, row, panel, target + row * panel_floats);
  memset(
      target + rows * panel_floats, 0, (padded_rows - rows) * panel_floats * sizeof *target);
}

/// Copies one input row under a strip, with zeros outside of the image.
INLINE void copy_padded_row(
    const lvae_conv2d_plan *plan, const float *x, const conv_strip *strip, size_t row,
    size_t columns, float *target) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t channels = shape->in_channels;
  ptrdiff_t iy = (ptrdiff_t)(strip->first_row * shape->stride + row) - shape->pad_top;
  ptrdiff_t left = (ptrdiff_t)(strip->first_column * shape->stride) - shape->pad_left;
  ptrdiff_t first = left < 0 ? -left : 0;
  ptrdiff_t last = (ptrdiff_t)shape->width - left;
  if (last > (ptrdiff_t)columns) last = (ptrdiff_t)columns;
  memset(target, 0, columns * channels * sizeof *target);
  if (iy < 0 || iy >= (ptrdiff_t)shape->height || first >= last) return;
  const float *source =
      x + ((strip->image * shape->height + (size_t)iy) * shape->width) * channels;
  memcpy(
      target + (size_t)first * channels, source + (size_t)(left + first) * channels,
      (size_t)(last - first) * channels * sizeof *target);
}

static void few_inputs_run(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_strip_blocking *blocking = &plan->strips;
  conv_strip strip = strip_of_task(plan, task);
  conv_output out = make_output(plan, y, epilogue);
  size_t run = shape->kernel_width * shape->in_channels;  // floats of a window's row
  size_t window = shape->kernel_height * run;
  size_t padded_window = plan->product_blocks * vector_floats;
  size_t row_floats = blocking->input_columns * shape->in_channels;
  float *a = scratch;
  float *rows = a + plan->product_blocks * blocking->rows * blocking->row_step;
  float *windows = rows + blocking->input_rows * row_floats + vector_floats;
  for (size_t r = 0; r < input_extent(strip.rows, shape->kernel_height, shape->stride); r++)
    copy_padded_row(
        plan, x, &strip, r, input_extent(strip.columns, shape->kernel_width, shape->stride),
        rows + r * row_floats);
  for (size_t r = 0; r < strip.rows; r++) {
    // Whole vectors are copied: each covers what the one before wrote too much, and zeros the last.
    for (size_t c = 0; c < strip.columns; c++) {
      float *target = windows + c * (padded_window + vector_floats);
      for (size_t ky = 0; ky < shape->kernel_height; ky++) {
        const float *source = rows + (r * shape->stride + ky) * row_floats +
                              c * shape->stride * shape->in_channels;
        for (size_t i = 0; i < run; i += vector_floats)
          store(target + ky * run + i, load(source + i));
      }
      store(target + window, (vec){0});
    }
    for (size_t block = 0; block < plan->product_blocks; block++)
      for (size_t c = 0; c < strip.columns; c++)
        store_aligned(
            a + plan->offsets[block] + r * blocking->row_step + c * vector_floats,
            load(windows + c * (padded_window + vector_floats) + block * vector_floats));
  }
  multiply_strip(plan, a, packed, &strip, &out);
  finish_output(&out);
}

// Few output channels: a 1×1 convolution computes each input pixel's share for every tap of the
// kernel, of which a panel holds several; an output pixel is a sum of shares.

/// Taps in a panel.
INLINE size_t taps_per_panel(const lvae_conv2d_plan *plan) {
  return panel_floats / plan->shape.out_channels;
}

static void few_outputs_pack(
    const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t panel) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t taps = shape->kernel_height * shape->kernel_width, outputs = shape->out_channels;
  size_t first = panel * taps_per_panel(plan), last = smaller(first + taps_per_panel(plan), taps);
  size_t rows = plan->product_blocks * vector_floats;
  float *target = packed + panel * rows * panel_floats;
  memset(target, 0, rows * panel_floats * sizeof *target);
  for (size_t channel = 0; channel < shape->in_channels; channel++, target += panel_floats)
    for (size_t tap = first; tap < last; tap++)
      memcpy(
          target + (tap - first) * outputs,
          weights + (tap * shape->in_channels + channel) * outputs, outputs * sizeof *target);
}

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

/// Sums the shares of one output row; `shares` is its first window's place in
/// [panel][input pixel][panel]. Writes 4 floats at a time, in order, the last beyond the row.
INLINE void sum_shares(
    const lvae_conv2d_plan *plan, const float *shares, size_t columns, const float *bias,
    float *sums) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_strip_blocking *blocking = &plan->strips;
  size_t outputs = shape->out_channels, each = taps_per_panel(plan);
  size_t panel_stride = blocking->input_rows * blocking->input_columns * panel_floats;
  for (size_t c = 0; c < columns; c++)
    for (size_t o = 0; o < outputs; o += 4) {
      quad sum = *(const quad *)(bias + o);
      for (size_t ky = 0, tap = 0; ky < shape->kernel_height; ky++)
        for (size_t kx = 0; kx < shape->kernel_width; kx++, tap++) {
          size_t pixel = ky * blocking->input_columns + c + kx;
          sum += *(const quad *)(shares + tap / each * panel_stride + pixel * panel_floats +
                                 tap % each * outputs + o);
        }
      *(quad *)(sums + c * outputs + o) = sum;
    }
}

static void few_outputs_run(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_strip_blocking *blocking = &plan->strips;
  conv_strip strip = strip_of_task(plan, task);
  conv_output out = make_output(plan, y, epilogue);
  size_t pixels = blocking->input_rows * blocking->input_columns;
  size_t panel_weights = plan->product_blocks * vector_floats * panel_floats;
  float *shares = scratch + plan->channel_blocks * pixels * vector_floats;
  float *sums = shares + plan->panels * pixels * panel_floats + vector_floats;
  float bias[panel_floats + 4] = {0};
  if (epilogue->bias) memcpy(bias, epilogue->bias, shape->out_channels * sizeof *bias);

  pack_strip(plan, x, &strip, scratch);
  size_t used = input_extent(strip.rows, shape->kernel_height, 1) * blocking->input_columns;
  for (size_t panel = 0; panel < plan->panels; panel++)
    for (size_t p = 0; p < used; p += tile_rows)
      tile_product(
          smaller(used - p, tile_rows), plan->product_blocks, plan->offsets,
          scratch + p * vector_floats, packed + panel * panel_weights,
          shares + (panel * pixels + p) * panel_floats, false);
  for (size_t r = 0; r < strip.rows; r++) {
    sum_shares(
        plan, shares + r * blocking->input_columns * panel_floats, strip.columns, bias, sums);
    size_t row = strip.image * shape->out_height + strip.first_row + r;
    size_t index = (row * shape->out_width + strip.first_column) * shape->out_channels;
    size_t count = strip.columns * shape->out_channels;
    for (size_t i = 0; i < count; i += vector_floats)
      write_output(&out, index + i, smaller(count - i, vector_floats), load(sums + i), (vec){0});
  }
}
