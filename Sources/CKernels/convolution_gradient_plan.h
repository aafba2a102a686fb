// What a plan of a weight gradient holds; shared by the planner and the kernels.
#pragma once
#include "convolution_gradient.h"
#include "convolution_plan.h"

typedef struct {
  void (*run)(
      const lvae_conv2d_weight_gradient_plan *plan, const float *x, const float *dy,
      float *partials, float *scratch, size_t task);
  void (*sum)(
      const lvae_conv2d_weight_gradient_plan *plan, const float *partials, float *dw,
      size_t task);
} weight_gradient_kernels;

extern const weight_gradient_kernels weight_gradient_kernels_portable;
#if defined(__x86_64__)
extern const weight_gradient_kernels weight_gradient_kernels_avx2;
extern const weight_gradient_kernels weight_gradient_kernels_avx512;
#endif

/// By Winograd's F(3×3, 4×4): a task sums over the blocks of tiles of its part, for its group of
/// panels. Partial sums are [part][panel][alpha²][channel][panel]; scratch holds for one block the
/// transformed input, as forward, then the transformed gradient
/// [alpha²][panel of the group][tile][panel].
struct lvae_conv2d_weight_gradient_plan {
  const weight_gradient_kernels *kernels;
  size_t parts, tiles_per_part;
  size_t panels_per_group, groups;
  lvae_conv2d_plan geometry;  // of the forward convolution's tiles; its product is not used
};
