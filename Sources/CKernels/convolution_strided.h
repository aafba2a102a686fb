// The convolution 3×3 of stride 2. Each output row reads three input rows, the outer two of one
// remainder modulo 2 and the inner one of the other: along each axis it is the sum of a convolution
// of two taps and one of a single tap, both of stride 1 over every other pixel. The four components
// of the picture, {two taps, one tap} along rows × along columns, are transformed as for F(4×4, 2×2)
// and summed before the transform back: 81 multiplications for 16 outputs instead of 144.
#pragma once
#include "convolution_winograd.h"

enum { strided_alpha = 5, strided_tile = 4, strided_components = 4 };

/// Whether a component has one tap along an axis, and not two.
INLINE bool has_one_tap_down(size_t component) { return component & 2; }
INLINE bool has_one_tap_across(size_t component) { return component & 1; }

/// Transforms what two taps read, d[5], or what one tap reads, d[4]: the latter are the values that,
/// transformed back by F(4, 2)'s Aᵀ with nothing at the unused frequency, give d again.
INLINE void strided_input(bool has_one_tap, const vec *d, vec *o) {
  if (!has_one_tap) {
    f42_input(d, o);
    return;
  }
  const float a = F42_A, a2 = a * a;
  vec p = (1 / a2) * d[2], q = (1 / a) * d[1];
  o[0] = d[0] - p;
  o[1] = 0.5f * (p + q);
  o[2] = 0.5f * (p - q);
  o[strided_unused] = (vec){0};
  o[4] = d[3] - a2 * d[1];
}

/// The weights of a component along one axis at each frequency, from the taps of that axis.
INLINE void strided_taps(
    bool has_one_tap, const double_vec taps[3], double_vec out[strided_alpha]) {
  for (size_t i = 0; i < strided_alpha; i++)
    out[i] = has_one_tap ? taps[1] : f42_weights[i][0] * taps[0] + f42_weights[i][1] * taps[2];
}

/// Packed weights: [alpha²][panel][component][channel][panel]; those at unused frequencies are not
/// written. A task packs some channels of one panel.
static void strided_pack(
    const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t task) {
  const lvae_conv2d_shape *shape = &plan->shape;
  size_t panel = task % plan->panels;
  size_t channels = plan->channel_blocks * vector_floats;
  size_t first = task / plan->panels * channels_per_pack;
  size_t last = smaller(first + channels_per_pack, channels);
  size_t stride = plan->panels * strided_components * channels * panel_floats;
  for (size_t component = 0; component < strided_components; component++)
    for (size_t channel = first; channel < last; channel++)
      for (size_t half = 0; half < 2; half++) {
        size_t out_channel = panel * panel_floats + half * vector_floats;
        size_t lanes =
            channel < shape->in_channels ? lanes_from(out_channel, shape->out_channels) : 0;
        double_vec columns[strided_alpha][3];
        for (size_t kx = 0; kx < 3; kx++) {
          double_vec taps[3], column[strided_alpha];
          for (size_t ky = 0; ky < 3; ky++) {
            size_t row = (ky * 3 + kx) * shape->in_channels + channel;
            taps[ky] = __builtin_convertvector(
                load_part(weights + row * shape->out_channels + out_channel, lanes), double_vec);
          }
          strided_taps(has_one_tap_down(component), taps, column);
          for (size_t i = 0; i < strided_alpha; i++) columns[i][kx] = column[i];
        }
        float *target = packed + half * vector_floats +
                        ((panel * strided_components + component) * channels + channel) *
                            panel_floats;
        for (size_t i = 0; i < strided_alpha; i++) {
          double_vec row[strided_alpha];
          strided_taps(has_one_tap_across(component), columns[i], row);
          for (size_t j = 0; j < strided_alpha; j++)
            if (is_used_frequency(i, j, component))
              store_aligned(
                  target + (i * strided_alpha + j) * stride, __builtin_convertvector(row[j], vec));
        }
      }
}

/// Transforms one component of a tile for one vector of channels: `y` and `x` are the input's row and
/// column that its first output's first tap reads.
INLINE void strided_transform_tile(
    const bool one_down, const bool one_across, const bool is_inside, const input_band *band,
    ptrdiff_t y, ptrdiff_t x, size_t channel, size_t lanes, size_t stride, float *target) {
  const size_t rows = one_down ? 4 : 5, columns = one_across ? 4 : 5;
  vec transformed[strided_alpha][strided_alpha];
#pragma clang loop unroll(full)
  for (size_t j = 0; j < columns; j++) {
    vec column[strided_alpha];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
      ptrdiff_t row = y + one_down + 2 * (ptrdiff_t)i, place = x + one_across + 2 * (ptrdiff_t)j;
      const float *pixel = band->image + (row * band->width + place) * band->channels + channel;
      if (is_inside) {
        column[i] = load(pixel);
      } else {
        bool exists = row >= 0 && row < band->height && place >= 0 && place < band->width;
        column[i] = exists ? load_part(pixel, lanes) : (vec){0};
      }
    }
    strided_input(one_down, column, transformed[j]);
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < strided_alpha; i++) {
    if (one_down && i == strided_unused) continue;
    vec row[strided_alpha], out[strided_alpha];
#pragma clang loop unroll(full)
    for (size_t j = 0; j < columns; j++) row[j] = transformed[j][i];
    strided_input(one_across, row, out);
#pragma clang loop unroll(full)
    for (size_t j = 0; j < strided_alpha; j++)
      if (!one_across || j != strided_unused)
        store_aligned(target + (i * strided_alpha + j) * stride, out[j]);
  }
}

/// Transforms a run of tiles into V[alpha²][component][channel block][tile][vector].
INLINE void strided_transform_run(
    const lvae_conv2d_plan *plan, const float *x, tile_run run, float *v) {
  const lvae_conv2d_shape *shape = &plan->shape;
  const conv_winograd_blocking *winograd = &plan->winograd;
  input_band band = {
      .image = x + run.image * shape->height * shape->width * shape->in_channels,
      .height = (ptrdiff_t)shape->height,
      .width = (ptrdiff_t)shape->width,
      .channels = (ptrdiff_t)shape->in_channels};
  const ptrdiff_t step = 2 * strided_tile, reach = 2 * strided_tile + 1;
  ptrdiff_t y = (ptrdiff_t)run.tile_y * step - shape->pad_top;
  bool rows_inside = y >= 0 && y + reach <= band.height;
  size_t block_floats = winograd->tiles_per_block * vector_floats;
  for (size_t t = 0; t < run.count; t++) {
    ptrdiff_t left = (ptrdiff_t)(run.tile_x + t) * step - shape->pad_left;
    bool is_inside = rows_inside && left >= 0 && left + reach <= band.width;
    for (size_t block = 0; block < plan->channel_blocks; block++) {
      size_t channel = block * vector_floats, lanes = lanes_from(channel, shape->in_channels);
      float *target = v + block * block_floats + t * vector_floats;
      size_t component_floats = plan->channel_blocks * block_floats;
#define COMPONENT(down, across)                                                               \
  if (is_inside && lanes == vector_floats)                                                    \
    strided_transform_tile(                                                                   \
        down, across, true, &band, y, left, channel, lanes, winograd->input_stride, target);  \
  else                                                                                        \
    strided_transform_tile(                                                                   \
        down, across, false, &band, y, left, channel, lanes, winograd->input_stride, target); \
  target += component_floats;
      COMPONENT(false, false)
      COMPONENT(false, true)
      COMPONENT(true, false)
      COMPONENT(true, true)
#undef COMPONENT
    }
  }
}

static void strided_run(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, float *scratch, size_t task) {
  const conv_winograd_blocking *winograd = &plan->winograd;
  conv_output out = make_output(plan, y, epilogue);
  panel_range panels = panels_of_task(plan, task);
  tile_range tiles = tiles_of_task(plan, task);
  float *v = scratch + winograd->input_stride, *products = scratch;
  for (size_t first = tiles.first; first < tiles.end; first += winograd->tiles_per_block) {
    size_t end = smaller(first + winograd->tiles_per_block, tiles.end);
    prefetch_list list = {0};
    tile_run run;
    for (size_t t = first; t < end; t += run.count) {
      run = run_from(winograd, t, end);
      strided_transform_run(plan, x, run, v + (t - first) * vector_floats);
      if (!is_streamed(out.kind)) prefetch_output(strided_alpha, plan, y, run, 0, &list);
    }
    prefetch_block_input(2 * strided_tile, 1, plan, x, end, &list);
    multiply_frequencies(plan, v, packed, products, end - first, panels, &list);
    for (size_t t = first; t < end; t += run.count) {
      run = run_from(winograd, t, end);
      transform_output_run(
          strided_alpha, plan, &out, products + (t - first) * panel_floats, run, 0, panels);
    }
  }
  finish_output(&out);
}
