#include "group_norm.h"

#include <math.h>

#include "row_kernels.h"

void lvae_group_norm_partial_sums(
    lvae_isa isa, const float *x, const float *offset, size_t pixels, size_t channels,
    size_t groups, double *sums) {
  row_kernels_of(isa)->group_norm_partial_sums(x, offset, pixels, channels, groups, sums);
}

void lvae_group_norm_scale_shift(
    const double *sums, size_t blocks, size_t pixels, size_t channels, size_t groups,
    double epsilon, const float *gamma, const float *beta, float *scale, float *shift,
    float *means, float *reciprocal_deviations) {
  size_t group_channels = channels / groups;
  double count = (double)pixels * (double)group_channels;
  for (size_t g = 0; g < groups; g++) {
    double sum = 0, squares = 0;
    for (size_t b = 0; b < blocks; b++) {
      sum += sums[(b * groups + g) * 2];
      squares += sums[(b * groups + g) * 2 + 1];
    }
    double mean = sum / count;
    double variance = fmax(squares / count - mean * mean, 0);
    double reciprocal = 1 / sqrt(variance + epsilon);
    for (size_t c = g * group_channels; c < (g + 1) * group_channels; c++) {
      double factor = (gamma ? gamma[c] : 1) * reciprocal;
      scale[c] = (float)factor;
      shift[c] = (float)((beta ? beta[c] : 0) - mean * factor);
    }
    if (means) means[g] = (float)mean;
    if (reciprocal_deviations) reciprocal_deviations[g] = (float)reciprocal;
  }
}

void lvae_scale_shift_activation(
    lvae_isa isa, const float *x, const float *scale, const float *shift, float *y, size_t pixels,
    size_t channels, lvae_activation activation) {
  row_kernels_of(isa)->scale_shift_activation(
      x, scale, shift, y, pixels, channels, activation);
}

void lvae_group_norm_gradient_sums(
    lvae_isa isa, const float *x, const float *dy, const float *scale, const float *shift,
    const float *means, lvae_activation activation, float *du, size_t pixels, size_t channels,
    float *sums) {
  row_kernels_of(isa)->group_norm_gradient_sums(
      x, dy, scale, shift, means, activation, du, pixels, channels, sums);
}

void lvae_group_norm_gradient_input(
    lvae_isa isa, const float *x, const float *du, const float *scale, const float *slope,
    const float *offset, float *dx, size_t pixels, size_t channels) {
  row_kernels_of(isa)->group_norm_gradient_input(
      x, du, scale, slope, offset, dx, pixels, channels);
}
