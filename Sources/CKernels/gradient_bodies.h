// The bodies of the kernels that only training needs: sums over pixels, and gradients of group
// normalisation and softmax.
#pragma once
#include "attention_bodies.h"
#include "function_bodies.h"
#include "row_bodies.h"

#pragma clang fp contract(fast)

/// Adds x (or x · z) of each pixel to sums that are in memory, for the reason given at add_pixel.
INLINE void add_channels(
    const float *x, const float *z, size_t pixels, size_t channels, float *sums) {
  memset(sums, 0, channels * sizeof *sums);
  for (size_t p = 0; p < pixels; p++, x += channels, z = z ? z + channels : z)
    for (size_t c = 0; c < channels; c += vector_floats) {
      size_t lanes = smaller(channels - c, vector_floats);
      vec v = load_part(x + c, lanes);
      if (z) v = v * load_part(z + c, lanes);
      store_part(sums + c, load_part(sums + c, lanes) + v, lanes);
    }
}

static void channel_sums(const float *x, size_t pixels, size_t channels, float *sums) {
  add_channels(x, NULL, pixels, channels, sums);
}

static void channel_products(
    const float *x, const float *z, size_t pixels, size_t channels, float *sums) {
  add_channels(x, z, pixels, channels, sums);
}

/// One vector of a pixel's channels: the gradient before the activation, and what it adds to sums.
INLINE void add_norm_gradient(
    const float *x, const float *dy, const float *scale, const float *shift, const float *means,
    const lvae_activation activation, float *du, float *sums, float *products, size_t lanes) {
  vec v = load_part(x, lanes), gradient = load_part(dy, lanes);
  if (activation != lvae_activation_none) {
    vec u = v * load_part(scale, lanes) + load_part(shift, lanes);
    gradient = gradient * function_derivative(
        activation == lvae_activation_relu ? lvae_function_relu : lvae_function_silu, 0, u);
    store_part(du, gradient, lanes);
  }
  vec difference = v - load_part(means, lanes);
  store_part(sums, load_part(sums, lanes) + gradient, lanes);
  store_part(products, load_part(products, lanes) + gradient * difference, lanes);
}

INLINE void norm_gradient_sums(
    const float *x, const float *dy, const float *scale, const float *shift, const float *means,
    const lvae_activation activation, float *du, size_t pixels, size_t channels, float *sums) {
  float *products = sums + channels;
  memset(sums, 0, 2 * channels * sizeof *sums);
  for (size_t p = 0; p < pixels; p++, x += channels, dy += channels, du += channels) {
    size_t c = 0;
    for (; c + vector_floats <= channels; c += vector_floats)
      add_norm_gradient(
          x + c, dy + c, scale + c, shift + c, means + c, activation, du + c, sums + c,
          products + c, vector_floats);
    if (c < channels)
      add_norm_gradient(
          x + c, dy + c, scale + c, shift + c, means + c, activation, du + c, sums + c,
          products + c, channels - c);
  }
}

static void group_norm_gradient_sums(
    const float *x, const float *dy, const float *scale, const float *shift, const float *means,
    lvae_activation activation, float *du, size_t pixels, size_t channels, float *sums) {
  if (activation == lvae_activation_silu)
    norm_gradient_sums(
        x, dy, scale, shift, means, lvae_activation_silu, du, pixels, channels, sums);
  else if (activation == lvae_activation_relu)
    norm_gradient_sums(
        x, dy, scale, shift, means, lvae_activation_relu, du, pixels, channels, sums);
  else
    norm_gradient_sums(
        x, dy, scale, shift, means, lvae_activation_none, du, pixels, channels, sums);
}

static void group_norm_gradient_input(
    const float *x, const float *du, const float *scale, const float *slope, const float *offset,
    float *dx, size_t pixels, size_t channels) {
  for (size_t p = 0; p < pixels; p++, x += channels, du += channels, dx += channels) {
    size_t c = 0;
    for (; c + vector_floats <= channels; c += vector_floats)
      store(
          dx + c,
          load(du + c) * load(scale + c) + (load(x + c) * load(slope + c) + load(offset + c)));
    if (c == channels) continue;
    size_t lanes = channels - c;
    vec v = load_part(x + c, lanes) * load_part(slope + c, lanes) + load_part(offset + c, lanes);
    store_part(dx + c, load_part(du + c, lanes) * load_part(scale + c, lanes) + v, lanes);
  }
}

static void softmax_gradient(
    const float *probabilities, float *gradients, size_t rows, size_t columns, float scale) {
  for (size_t r = 0; r < rows; r++, probabilities += columns, gradients += columns) {
    vec sums = {0};
    for (size_t c = 0; c < columns; c += vector_floats) {
      size_t lanes = smaller(columns - c, vector_floats);
      sums += load_part(probabilities + c, lanes) * load_part(gradients + c, lanes);
    }
    float sum = 0;
    for (size_t i = 0; i < vector_floats; i++) sum += sums[i];
    for (size_t c = 0; c < columns; c += vector_floats) {
      size_t lanes = smaller(columns - c, vector_floats);
      vec v = load_part(probabilities + c, lanes) * (load_part(gradients + c, lanes) - sum);
      store_part(gradients + c, v * scale, lanes);
    }
  }
}

#define ROW_KERNELS                                         \
  {                                                         \
    .group_norm_partial_sums = group_norm_partial_sums,     \
    .scale_shift_activation = scale_shift_activation,       \
    .softmax_block = softmax_block,                         \
    .scale_rows = scale_rows,                               \
    .narrow_head_attention = narrow_head_attention,         \
    .wide_head_scratch = wide_head_scratch,                 \
    .wide_head_attention = wide_head_attention,             \
    .channel_sums = channel_sums,                           \
    .channel_products = channel_products,                   \
    .group_norm_gradient_sums = group_norm_gradient_sums,   \
    .group_norm_gradient_input = group_norm_gradient_input, \
    .softmax_gradient = softmax_gradient,                   \
    .function_apply = function_apply,                       \
    .function_gradient = function_gradient,                 \
  }
