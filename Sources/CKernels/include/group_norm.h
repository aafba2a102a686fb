// Group normalisation on float32 NHWC, in three steps:
//
//   for each block of an image's pixels: lvae_group_norm_partial_sums(…)  tasks, in any order
//   for each image:                      lvae_group_norm_scale_shift(…)
//   for each block of pixels:            lvae_scale_shift_activation(…)   tasks, in any order
//
// The blocks that the sums are taken over depend on the size of the image alone, and are added in
// order: the result does not depend on the number of threads. No alignment is needed; an `isa` must
// be available.
#pragma once
#include <stddef.h>

#include "activation.h"
#include "instruction_set.h"

enum {
  /// Pixels of a block whose sums are taken in single precision; an image's last block is shorter.
  lvae_group_norm_block_pixels = 512,
};

/// sums[groups][2]: the sum and the sum of squares over x[pixels, channels] + offset[channels], for
/// each of the groups of neighbouring channels; `offset` may be NULL (zeros). `channels` is a
/// multiple of `groups`, `pixels` at least 1. The mean may be large beside the deviation: single
/// precision holds only differences from the first pixel.
void lvae_group_norm_partial_sums(
    lvae_isa isa, const float *x, const float *offset, size_t pixels, size_t channels,
    size_t groups, double *sums);

/// From one image's partial sums [blocks][groups][2], over `pixels` pixels in all:
/// scale[c] = gamma[c] / √(variance + epsilon) and shift[c] = beta[c] − mean · scale[c].
/// `gamma` and `beta` may be NULL (ones and zeros). `means` and `reciprocal_deviations`, [groups]
/// each, are for the gradient and may be NULL.
void lvae_group_norm_scale_shift(
    const double *sums, size_t blocks, size_t pixels, size_t channels, size_t groups,
    double epsilon, const float *gamma, const float *beta, float *scale, float *shift,
    float *means, float *reciprocal_deviations);

/// y[p, c] = activation(x[p, c] · scale[c] + shift[c]); `scale` and `shift` may both be NULL (the
/// activation alone). `y` may be `x`.
void lvae_scale_shift_activation(
    lvae_isa isa, const float *x, const float *scale, const float *shift, float *y, size_t pixels,
    size_t channels, lvae_activation activation);

// Its gradient, in three steps too. With u = x · scale + shift, du = dy · activation′(u), and sums
// over the pixels of an image:
//
//   Sc = Σ du, Pc = Σ du · (x − mean)                                  of each channel
//   dbeta = Sc, dgamma = Pc / deviation                                summed over images
//   dx = scale · du − (Σ gamma · Sc + x̂ · Σ gamma · Pc / deviation) / (deviation · count)
//
// where x̂ is the normalised x, and the last sums and the count are over the channels of a group.

/// sums[2][channels]: Sc and Pc of a block of pixels, and du, where there is an activation; else `du`
/// isn't written. `means` is [channels]. `du` may be `dy`.
void lvae_group_norm_gradient_sums(
    lvae_isa isa, const float *x, const float *dy, const float *scale, const float *shift,
    const float *means, lvae_activation activation, float *du, size_t pixels, size_t channels,
    float *sums);

/// dx[p, c] = du[p, c] · scale[c] + x[p, c] · slope[c] + offset[c]. `dx` may be `du`.
void lvae_group_norm_gradient_input(
    lvae_isa isa, const float *x, const float *du, const float *scale, const float *slope,
    const float *offset, float *dx, size_t pixels, size_t channels);
