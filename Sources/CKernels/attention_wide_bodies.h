// Attention with wide heads as tile products. Scores are computed transposed, [key][query], so that
// a vector holds those of several queries for one key: the softmax never sums across a vector, and
// its result is what the product with the values reads.
#pragma once
#include <math.h>

#include "attention.h"
#include "convolution_weight_gradient.h"
#include "exponential.h"

#pragma clang fp contract(fast)

enum {
  wide_queries = lvae_wide_head_queries,
  wide_keys = 112,       // taken at a time
  wide_sum_blocks = 16,  // vectors of channels summed at a stretch
};

_Static_assert(wide_queries % panel_floats == 0, "whole panels of queries");

/// Where some queries stand after some keys: in scratch, all by panels.
typedef struct {
  size_t channels;  // whole vectors
  size_t panels;    // of the result
  float *queries;   // [panel of queries][channel][panel], times the scale
  float *keys;      // [vector of channels][key][vector]
  float *values;    // [panel of channels][key][panel]
  float *scores;    // [panel of queries][key][panel]
  float *weights;   // [vector of queries][key][vector]
  float *sums;      // [panel of channels][query][panel]
  float *most;      // of each query's scores
  float *totals;    // of its weights
  float *corrections;
} wide_state;

INLINE size_t wide_channels(size_t width) {
  return (width + vector_floats - 1) / vector_floats * vector_floats;
}

INLINE size_t wide_panels(size_t width) { return (width + panel_floats - 1) / panel_floats; }

static size_t wide_head_scratch(size_t width) {
  size_t channels = wide_channels(width), result = wide_panels(width) * panel_floats;
  return wide_queries * (channels + 2 * wide_keys + result + 3) + wide_keys * (channels + result);
}

static wide_state make_wide_state(size_t width, float *scratch) {
  wide_state s = {.channels = wide_channels(width), .panels = wide_panels(width)};
  s.queries = scratch;
  s.keys = s.queries + wide_queries * s.channels;
  s.values = s.keys + wide_keys * s.channels;
  s.scores = s.values + wide_keys * s.panels * panel_floats;
  s.weights = s.scores + wide_queries * wide_keys;
  s.sums = s.weights + wide_queries * wide_keys;
  s.most = s.sums + wide_queries * s.panels * panel_floats;
  s.totals = s.most + wide_queries;
  s.corrections = s.totals + wide_queries;
  return s;
}

static void begin_wide_queries(
    const wide_state *s, const float *q, size_t queries, size_t width, size_t stride, float scale) {
  memset(s->queries, 0, wide_queries * s->channels * sizeof *q);
  for (size_t i = 0; i < queries; i++) {
    float *panel = s->queries + i / panel_floats * s->channels * panel_floats + i % panel_floats;
    for (size_t c = 0; c < width; c++) panel[c * panel_floats] = scale * q[i * stride + c];
  }
  for (size_t i = 0; i < wide_queries; i++) {
    s->most[i] = -INFINITY;
    s->totals[i] = 0;
  }
}

/// Copies some keys and values to where products read them.
static void pack_wide_keys(
    const wide_state *s, const float *k, const float *v, size_t keys, size_t width, size_t stride) {
  for (size_t key = 0; key < keys; key++) {
    for (size_t c = 0; c < s->channels; c += vector_floats)
      store_aligned(
          s->keys + (c / vector_floats * wide_keys + key) * vector_floats,
          load_part(k + key * stride + c, smaller(width - c, vector_floats)));
    for (size_t c = 0; c < s->panels * panel_floats; c += vector_floats) {
      size_t lanes = c < width ? smaller(width - c, vector_floats) : 0;
      store_aligned(
          s->values + (c / panel_floats * wide_keys + key) * panel_floats + c % panel_floats,
          load_part(v + key * stride + c, lanes));
    }
  }
}

/// Scores of a panel of queries, for all keys.
static void score_wide_panel(const wide_state *s, size_t panel, size_t keys) {
  ptrdiff_t offsets[wide_sum_blocks];
  for (size_t block = 0; block < wide_sum_blocks; block++)
    offsets[block] = (ptrdiff_t)(block * wide_keys * vector_floats);
  size_t blocks = s->channels / vector_floats;
  for (size_t key = 0; key < keys; key += tile_rows)
    for (size_t block = 0; block < blocks; block += wide_sum_blocks)
      tile_product(
          smaller(keys - key, tile_rows), smaller(blocks - block, wide_sum_blocks), offsets,
          s->keys + (block * wide_keys + key) * vector_floats,
          s->queries + (panel * s->channels + block * vector_floats) * panel_floats,
          s->scores + (panel * wide_keys + key) * panel_floats, block > 0);
}

/// Turns the scores of a vector of queries into weights; the maximum and the sum follow.
static void weigh_wide_queries(const wide_state *s, size_t query, size_t keys) {
  const float *scores =
      s->scores + query / panel_floats * wide_keys * panel_floats + query % panel_floats;
  float *weights = s->weights + query * wide_keys;
  vec before = load_aligned(s->most + query), most = before;
  for (size_t key = 0; key < keys; key++) {
    vec score = load_aligned(scores + key * panel_floats);
    most = choose(score > most, score, most);
  }
  vec correction = exponential(before - most);
  vec total = load_aligned(s->totals + query) * correction;
  for (size_t key = 0; key < keys; key++) {
    vec weight = exponential(load_aligned(scores + key * panel_floats) - most);
    total += weight;
    store_aligned(weights + key * vector_floats, weight);
  }
  store_aligned(s->most + query, most);
  store_aligned(s->totals + query, total);
  store_aligned(s->corrections + query, correction);
}

/// Multiplies the sums of queries whose maximum has grown.
static void correct_wide_sums(const wide_state *s, size_t queries) {
  for (size_t i = 0; i < queries; i++) {
    if (s->corrections[i] == 1) continue;
    for (size_t panel = 0; panel < s->panels; panel++)
      for (size_t half = 0; half < panel_floats; half += vector_floats) {
        float *sum = s->sums + (panel * wide_queries + i) * panel_floats + half;
        store_aligned(sum, s->corrections[i] * load_aligned(sum));
      }
  }
}

static void wide_head_attention(
    const float *q, size_t queries, const float *k, const float *v, size_t keys, size_t width,
    size_t stride, float scale, float *y, float *scratch) {
  const wide_state s = make_wide_state(width, scratch);
  begin_wide_queries(&s, q, queries, width, stride, scale);
  for (size_t first = 0; first < keys; first += wide_keys) {
    size_t count = smaller(keys - first, wide_keys);
    pack_wide_keys(&s, k + first * stride, v + first * stride, count, width, stride);
    for (size_t i = 0; i < queries; i += panel_floats)
      score_wide_panel(&s, i / panel_floats, count);
    for (size_t i = 0; i < queries; i += vector_floats) weigh_wide_queries(&s, i, count);
    if (first) correct_wide_sums(&s, queries);
    for (size_t panel = 0; panel < s.panels; panel++)
      for (size_t i = 0; i < queries; i += gradient_rows)
        gradient_product(
            count, s.weights + i / vector_floats * wide_keys * vector_floats + i % vector_floats,
            s.values + panel * wide_keys * panel_floats,
            s.sums + (panel * wide_queries + i) * panel_floats, first > 0);
  }
  for (size_t i = 0; i < queries; i++)
    for (size_t c = 0; c < width; c += vector_floats) {
      const float *sum =
          s.sums + (c / panel_floats * wide_queries + i) * panel_floats + c % panel_floats;
      store_part(
          y + i * stride + c, load_aligned(sum) / s.totals[i], smaller(width - c, vector_floats));
    }
}
