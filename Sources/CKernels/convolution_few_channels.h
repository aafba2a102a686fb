// The first and last layers, which have too few channels on one side to fill a vector.
#pragma once
#include "convolution_direct.h"
#include "prefetch.h"

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

/// Where the shares of each tap stand, relative to the first pixel of a window: at most two panels
/// of them.
typedef struct {
  size_t count, offsets[2 * panel_floats];
} share_places;

INLINE share_places places_of_shares(const lvae_conv2d_plan *plan) {
  const conv_strip_blocking *blocking = &plan->strips;
  size_t each = taps_per_panel(plan);
  size_t panel_stride = blocking->input_rows * blocking->input_columns * panel_floats;
  share_places places = {0};
  for (size_t ky = 0; ky < plan->shape.kernel_height; ky++)
    for (size_t kx = 0; kx < plan->shape.kernel_width; kx++) {
      size_t tap = places.count++, pixel = ky * blocking->input_columns + kx;
      places.offsets[tap] = tap / each * panel_stride + pixel * panel_floats +
                            tap % each * plan->shape.out_channels;
    }
  return places;
}

/// Sums the shares of one output row; `shares` is its first window's place in
/// [panel][input pixel][panel]. Writes 4 floats at a time, in order, the last beyond the row.
INLINE void sum_shares(
    const share_places *places, const float *shares, size_t columns, size_t outputs,
    const float *bias, float *sums) {
  for (size_t c = 0; c < columns; c++, shares += panel_floats, sums += outputs)
    for (size_t o = 0; o < outputs; o += 4) {
      quad sum = *(const quad *)(bias + o);
      for (size_t i = 0; i < places->count; i++)
        sum += *(const quad *)(shares + places->offsets[i] + o);
      *(quad *)(sums + o) = sum;
    }
}

/// Adds row `r` of the input under a strip, if there is one.
INLINE void prefetch_row(
    const lvae_conv2d_plan *plan, const float *x, const conv_strip *strip, size_t r,
    prefetch_list *list) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t row = strip->first_row + r - (size_t)shape->pad_top;
  if (row >= shape->height || strip->first_column >= shape->width) return;
  size_t columns = smaller(strip->columns, shape->width - strip->first_column);
  size_t pixel = (strip->image * shape->height + row) * shape->width + strip->first_column;
  prefetch_later(list, x + pixel * shape->in_channels, columns * shape->in_channels);
}

/// The shares of one input row, [panel][column][panel] with panels `panel_stride` floats apart;
/// meanwhile fetches what is on the list.
static void multiply_shares(
    const lvae_conv2d_plan *plan, const float *a, const float *packed, size_t panel_stride,
    float *shares, prefetch_list *list) {
  size_t panel_weights = plan->product_blocks * vector_floats * panel_floats;
  size_t columns = plan->strips.input_columns;
  size_t calls = plan->panels * ((columns + tile_rows - 1) / tile_rows);
  size_t lines_per_call = (list->lines + calls - 1) / calls;
  for (size_t panel = 0; panel < plan->panels; panel++)
    for (size_t c = 0; c < columns; c += tile_rows) {
      prefetch_some(list, lines_per_call);
      tile_product(
          smaller(columns - c, tile_rows), plan->product_blocks, plan->offsets,
          a + c * vector_floats, packed + panel * panel_weights,
          shares + panel * panel_stride + c * panel_floats, false);
    }
}

static void few_outputs_run(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_strip_blocking *blocking = &plan->strips;
  conv_strip strip = strip_of_task(plan, task);
  conv_output out = make_output(plan, y, epilogue);
  size_t block_floats = blocking->input_columns * vector_floats;
  size_t row_floats = blocking->input_columns * panel_floats;
  size_t panel_stride = blocking->input_rows * row_floats;
  float *shares = scratch + plan->channel_blocks * block_floats;
  float *sums = shares + plan->panels * panel_stride + vector_floats;
  float bias[panel_floats + 4] = {0};
  if (epilogue->bias) memcpy(bias, epilogue->bias, shape->out_channels * sizeof *bias);

  size_t input_rows = input_extent(strip.rows, shape->kernel_height, 1);
  for (size_t r = 0; r < input_rows; r++) {
    prefetch_list list = {0};
    if (r + 1 < input_rows) prefetch_row(plan, x, &strip, r + 1, &list);
    pack_row(plan, x, &strip, r, block_floats, scratch);
    multiply_shares(plan, scratch, packed, panel_stride, shares + r * row_floats, &list);
  }
  share_places places = places_of_shares(plan);
  for (size_t r = 0; r < strip.rows; r++) {
    sum_shares(
        &places, shares + r * row_floats, strip.columns, shape->out_channels, bias, sums);
    size_t row = strip.image * shape->out_height + strip.first_row + r;
    size_t index = (row * shape->out_width + strip.first_column) * shape->out_channels;
    size_t count = strip.columns * shape->out_channels;
    for (size_t i = 0; i < count; i += vector_floats)
      write_output(&out, index + i, smaller(count - i, vector_floats), load(sums + i), (vec){0});
  }
}
