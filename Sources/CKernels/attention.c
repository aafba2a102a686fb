#include "attention.h"

#include "row_kernels.h"

void lvae_narrow_head_attention(
    lvae_isa isa, const float *q, size_t queries, const float *k, const float *v, size_t keys,
    size_t stride, float scale, float *y, float *scratch) {
  row_kernels_of(isa)->narrow_head_attention(q, queries, k, v, keys, stride, scale, y, scratch);
}

size_t lvae_wide_head_scratch(lvae_isa isa, size_t width) {
  return row_kernels_of(isa)->wide_head_scratch(width);
}

void lvae_wide_head_attention(
    lvae_isa isa, const float *q, size_t queries, const float *k, const float *v, size_t keys,
    size_t width, size_t stride, float scale, float *y, float *scratch) {
  row_kernels_of(isa)->wide_head_attention(
      q, queries, k, v, keys, width, stride, scale, y, scratch);
}
