// The kernels that stream through memory, of one instruction set: a table, filled by row_bodies.h
// and gradient_bodies.h.
#pragma once
#include "attention.h"
#include "function.h"
#include "group_norm.h"
#include "softmax.h"

typedef struct {
  void (*group_norm_partial_sums)(
      const float *x, const float *offset, size_t pixels, size_t channels, size_t groups,
      double *sums);
  void (*scale_shift_activation)(
      const float *x, const float *scale, const float *shift, float *y, size_t pixels,
      size_t channels, lvae_activation activation);
  void (*softmax_block)(
      float *scores, size_t rows, size_t columns, size_t stride, float scale, float *running_max,
      float *running_sum, float *correction);
  void (*scale_rows)(
      float *x, size_t rows, size_t columns, size_t stride, const float *factors);
  void (*narrow_head_attention)(
      const float *q, size_t queries, const float *k, const float *v, size_t keys, size_t stride,
      float scale, float *y, float *scratch);
  size_t (*wide_head_scratch)(size_t width);
  void (*wide_head_attention)(
      const float *q, size_t queries, const float *k, const float *v, size_t keys, size_t width,
      size_t stride, float scale, float *y, float *scratch);
  void (*channel_sums)(const float *x, size_t pixels, size_t channels, float *sums);
  void (*channel_products)(
      const float *x, const float *z, size_t pixels, size_t channels, float *sums);
  void (*group_norm_gradient_sums)(
      const float *x, const float *dy, const float *scale, const float *shift, const float *means,
      lvae_activation activation, float *du, size_t pixels, size_t channels, float *sums);
  void (*group_norm_gradient_input)(
      const float *x, const float *du, const float *scale, const float *slope,
      const float *offset, float *dx, size_t pixels, size_t channels);
  void (*softmax_gradient)(
      const float *probabilities, float *gradients, size_t rows, size_t columns, float scale);
  void (*function_apply)(
      lvae_function function, float parameter, const float *x, float *y, size_t count);
  void (*function_gradient)(
      lvae_function function, float parameter, const float *at, const float *dy, float *dx,
      size_t count);
} row_kernels;

extern const row_kernels row_kernels_portable;
#if defined(__x86_64__)
extern const row_kernels row_kernels_avx2;
extern const row_kernels row_kernels_avx512;
#endif

static inline const row_kernels *row_kernels_of(lvae_isa isa) {
#if defined(__x86_64__)
  if (isa == lvae_isa_avx512) return &row_kernels_avx512;
  if (isa == lvae_isa_avx2) return &row_kernels_avx2;
#else
  (void)isa;
#endif
  return &row_kernels_portable;
}
