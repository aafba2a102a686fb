// Scaled dot-product attention with narrow heads, for which matrix products are too small to pay.
#pragma once
#include <stddef.h>

#include "instruction_set.h"

enum {
  /// The channels of a narrow head.
  lvae_narrow_head_channels = 8,
  /// Queries that are taken at most at a time.
  lvae_narrow_head_queries = 128,
  /// Floats of scratch memory, 64-byte aligned.
  lvae_narrow_head_scratch = 12288,
};

/// y[queries, 8] = softmax(scale · q[queries, 8] · kᵀ) · v, with k[keys, 8] and v[keys, 8]; rows of
/// each start `stride` floats apart. Keys are taken in blocks, and the softmax's maximum and sum
/// follow along (see softmax.h). There is at least one key; `scale` is not negative.
void lvae_narrow_head_attention(
    lvae_isa isa, const float *q, size_t queries, const float *k, const float *v, size_t keys,
    size_t stride, float scale, float *y, float *scratch);
