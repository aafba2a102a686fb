// Attention with narrow heads: a vector holds one number of each of several queries, so that
// nothing is ever summed across a vector.
#pragma once
#include <math.h>

#include "attention.h"
#include "exponential.h"

#pragma clang fp contract(fast)

enum {
  head_channels = lvae_narrow_head_channels,
  head_keys = 256,  // taken at a time: they and their scores stay in the first cache level
};

/// What is known of some queries, one in each lane, after some blocks of keys.
typedef struct {
  vec query[head_channels];  // times the scale
  vec sum[head_channels];    // of exp(score − most) · value
  vec most, total;           // the greatest score, and the sum of exp(score − most)
} head_state;

_Static_assert(
    2 * head_keys * head_channels + head_keys * vector_floats +
            lvae_narrow_head_queries * sizeof(head_state) / sizeof(vec) <=
        lvae_narrow_head_scratch,
    "scratch memory");

/// Queries that don't exist have zeros.
INLINE void begin_queries(
    const float *q, size_t queries, size_t stride, float scale, head_state *state) {
  for (size_t c = 0; c < head_channels; c++) {
    state->sum[c] = state->query[c] = (vec){0};
    for (size_t i = 0; i < queries; i++) state->query[c][i] = scale * q[i * stride + c];
  }
  state->most = splat(-INFINITY);
  state->total = (vec){0};
}

/// Takes in a block of keys and values, [count][head_channels] each.
INLINE void attend_block(
    const float *k, const float *v, size_t count, float *scores, head_state *state) {
  vec most = state->most;
  for (size_t key = 0; key < count; key++) {
    vec score = k[key * head_channels] * state->query[0];
#pragma clang loop unroll(full)
    for (size_t c = 1; c < head_channels; c++)
      score += k[key * head_channels + c] * state->query[c];
    most = choose(score > most, score, most);
    store_aligned(scores + key * vector_floats, score);
  }
  vec correction = exponential(state->most - most), total = state->total * correction;
  vec sum[head_channels];
#pragma clang loop unroll(full)
  for (size_t c = 0; c < head_channels; c++) sum[c] = state->sum[c] * correction;
  for (size_t key = 0; key < count; key++) {
    vec weight = exponential(load_aligned(scores + key * vector_floats) - most);
    total += weight;
#pragma clang loop unroll(full)
    for (size_t c = 0; c < head_channels; c++) sum[c] += v[key * head_channels + c] * weight;
  }
#pragma clang loop unroll(full)
  for (size_t c = 0; c < head_channels; c++) state->sum[c] = sum[c];
  state->most = most;
  state->total = total;
}

static void narrow_head_attention(
    const float *q, size_t queries, const float *k, const float *v, size_t keys, size_t stride,
    float scale, float *y, float *scratch) {
  float *near_keys = scratch, *near_values = near_keys + head_keys * head_channels;
  float *scores = near_values + head_keys * head_channels;
  head_state *states = (head_state *)(scores + head_keys * vector_floats);
  for (size_t i = 0; i < queries; i += vector_floats)
    begin_queries(
        q + i * stride, smaller(queries - i, vector_floats), stride, scale,
        states + i / vector_floats);
  for (size_t first = 0; first < keys; first += head_keys) {
    size_t count = smaller(keys - first, head_keys);
    for (size_t key = 0; key < count; key++) {
      size_t place = (first + key) * stride;
      memcpy(near_keys + key * head_channels, k + place, head_channels * sizeof *k);
      memcpy(near_values + key * head_channels, v + place, head_channels * sizeof *v);
    }
    for (size_t i = 0; i < queries; i += vector_floats)
      attend_block(near_keys, near_values, count, scores, states + i / vector_floats);
  }
  for (size_t i = 0; i < queries; i++) {
    const head_state *state = states + i / vector_floats;
    size_t lane = i % vector_floats;
    for (size_t c = 0; c < head_channels; c++)
      y[i * stride + c] = state->sum[c][lane] / state->total[lane];
  }
}
