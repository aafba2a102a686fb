// The kernels that stream through memory, of one instruction set: a table, filled by row_bodies.h.
#pragma once
#include "group_norm.h"
#include "softmax.h"

typedef struct {
  void (*group_norm_partial_sums)(
      const float *x, size_t pixels, size_t channels, size_t groups, double *sums);
  void (*scale_shift_activation)(
      const float *x, const float *scale, const float *shift, float *y, size_t pixels,
      size_t channels, lvae_activation activation);
  void (*softmax_block)(
      float *scores, size_t rows, size_t columns, size_t stride, float scale, float *running_max,
      float *running_sum, float *correction);
  void (*scale_rows)(
      float *x, size_t rows, size_t columns, size_t stride, const float *factors);
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
