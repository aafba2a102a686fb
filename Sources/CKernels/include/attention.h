// Scaled dot-product attention, y = softmax(scale · q · kᵀ) · v. The scores are never in memory as a whole:
// keys are taken in blocks, and the softmax's maximum and sum follow along (see softmax.h). There is at
// least one key; `scale` is not negative.
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

/// Of a narrow head, for which matrix products are too small to pay: q[queries, 8], k[keys, 8],
/// v[keys, 8] and y[queries, 8], rows of each `stride` floats apart.
void lvae_narrow_head_attention(
    lvae_isa isa, const float *q, size_t queries, const float *k, const float *v, size_t keys,
    size_t stride, float scale, float *y, float *scratch);

enum {
  /// Queries that ``lvae_wide_head_attention`` takes at most at a time.
  lvae_wide_head_queries = 224,
};

/// The floats of scratch memory, 64-byte aligned, for heads of so many channels.
size_t lvae_wide_head_scratch(lvae_isa isa, size_t width);

/// Of a head of any width: q[queries, width], k[keys, width], v[keys, width] and y[queries, width], rows
/// of each `stride` floats apart.
void lvae_wide_head_attention(
    lvae_isa isa, const float *q, size_t queries, const float *k, const float *v, size_t keys,
    size_t width, size_t stride, float scale, float *y, float *scratch);
