// The bodies of the kernels that stream through memory: group normalisation and softmax.
#pragma once
#include "exponential.h"
#include "row_kernels.h"

#pragma clang fp contract(fast)

enum { sums_channels = 1024 };  // whose sums are held at a time, on the stack

/// Adds what a pixel differs from the reference, and its square, to a vector of sums.
INLINE void add_difference(
    const float *pixel, size_t lanes, const float *reference, float *sum, float *squares) {
  vec d = load_part(pixel, lanes) - load_part(reference, lanes);
  store_aligned(sum, load_aligned(sum) + d);
  store_aligned(squares, load_aligned(squares) + d * d);
}

/// The sums are in memory so that pixels are read in order: memory is the limit, and several pixels
/// at a time, with the sums in registers, read it at half the speed.
INLINE void add_pixel(
    const float *pixel, size_t channels, const float *reference, float *sum, float *squares) {
  size_t c = 0;
  for (; c + vector_floats <= channels; c += vector_floats)
    add_difference(pixel + c, vector_floats, reference + c, sum + c, squares + c);
  if (c < channels) add_difference(pixel + c, channels - c, reference + c, sum + c, squares + c);
}

static void group_norm_partial_sums(
    const float *x, const float *offset, size_t pixels, size_t channels, size_t groups,
    double *sums) {
  _Alignas(64) float sum[sums_channels], squares[sums_channels];
  memset(sums, 0, 2 * groups * sizeof *sums);
  size_t group_channels = channels / groups, in_group = 0;
  double *group = sums, n = (double)pixels;
  for (size_t first = 0; first < channels; first += sums_channels) {
    size_t count = smaller(channels - first, sums_channels);
    const float *reference = x + first;
    memset(sum, 0, sizeof sum);
    memset(squares, 0, sizeof squares);
    for (size_t p = 0; p < pixels; p++)
      add_pixel(reference + p * channels, count, reference, sum, squares);
    for (size_t c = 0; c < count; c++) {
      double origin = reference[c] + (offset ? (double)offset[first + c] : 0);
      group[0] += n * origin + sum[c];
      group[1] += n * origin * origin + 2 * origin * sum[c] + squares[c];
      if (++in_group == group_channels) in_group = 0, group += 2;
    }
  }
}

INLINE vec activate(vec v, const lvae_activation activation) {
  if (activation == lvae_activation_relu) return relu(v);
  if (activation == lvae_activation_silu) return v / (1.0f + exponential(-v));
  return v;
}

INLINE void scale_shift_row(
    const float *x, const float *scale, const float *shift, float *y, size_t channels,
    const lvae_activation activation) {
  size_t c = 0;
  for (; c + vector_floats <= channels; c += vector_floats) {
    vec v = load(x + c);
    if (scale) v = v * load(scale + c) + load(shift + c);
    store(y + c, activate(v, activation));
  }
  if (c == channels) return;
  size_t lanes = channels - c;
  vec v = load_part(x + c, lanes);
  if (scale) v = v * load_part(scale + c, lanes) + load_part(shift + c, lanes);
  store_part(y + c, activate(v, activation), lanes);
}

static void scale_shift_activation(
    const float *x, const float *scale, const float *shift, float *y, size_t pixels,
    size_t channels, lvae_activation activation) {
  // The activation alone doesn't know of pixels: one long row.
  if (!scale) channels *= pixels, pixels = 1;
  for (size_t p = 0; p < pixels; p++, x += channels, y += channels) {
    if (activation == lvae_activation_silu)
      scale_shift_row(x, scale, shift, y, channels, lvae_activation_silu);
    else if (activation == lvae_activation_relu)
      scale_shift_row(x, scale, shift, y, channels, lvae_activation_relu);
    else scale_shift_row(x, scale, shift, y, channels, lvae_activation_none);
  }
}

INLINE float largest_of_row(const float *row, size_t columns) {
  float largest = row[0];
  size_t c = 0;
  if (columns >= vector_floats) {
    vec most = load(row);
    for (; c + vector_floats <= columns; c += vector_floats) {
      vec v = load(row + c);
      most = choose(v > most, v, most);
    }
    for (size_t i = 0; i < vector_floats; i++) largest = most[i] > largest ? most[i] : largest;
  }
  for (; c < columns; c++) largest = row[c] > largest ? row[c] : largest;
  return largest;
}

/// row = exp(scale · row − most); returns the sum.
INLINE float exponentials_of_row(float *row, size_t columns, float scale, float most) {
  vec sums = {0};
  float sum = 0;
  size_t c = 0;
  for (; c + vector_floats <= columns; c += vector_floats) {
    vec v = exponential(load(row + c) * scale - most);
    store(row + c, v);
    sums += v;
  }
  for (size_t i = 0; i < vector_floats; i++) sum += sums[i];
  if (c < columns) {
    vec v = exponential(load_part(row + c, columns - c) * scale - most);
    store_part(row + c, v, columns - c);
    for (size_t i = 0; i < columns - c; i++) sum += v[i];
  }
  return sum;
}

static void softmax_block(
    float *scores, size_t rows, size_t columns, size_t stride, float scale, float *running_max,
    float *running_sum, float *correction) {
  for (size_t r = 0; r < rows; r++, scores += stride) {
    float most = scale * largest_of_row(scores, columns);
    if (running_max[r] > most) most = running_max[r];
    correction[r] = exponential(splat(running_max[r] - most))[0];
    running_sum[r] =
        running_sum[r] * correction[r] + exponentials_of_row(scores, columns, scale, most);
    running_max[r] = most;
  }
}

static void scale_rows(
    float *x, size_t rows, size_t columns, size_t stride, const float *factors) {
  for (size_t r = 0; r < rows; r++, x += stride)
    for (size_t c = 0; c < columns; c += vector_floats) {
      size_t lanes = smaller(columns - c, vector_floats);
      store_part(x + c, load_part(x + c, lanes) * factors[r], lanes);
    }
}
