// The vectors of the instruction set that the including file is compiled for. That file defines
// LVAE_VECTOR_FLOATS and LVAE_TILE_ROWS, pushes its target attribute and then includes bodies.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
  vector_floats = LVAE_VECTOR_FLOATS,
  panel_floats = 2 * vector_floats,  // output channels of one product tile
  tile_rows = LVAE_TILE_ROWS,        // its pixels: 2 · tile_rows sums fill the registers
};

typedef float vec __attribute__((vector_size(4 * LVAE_VECTOR_FLOATS), may_alias));
typedef float loose_vec __attribute__((vector_size(4 * LVAE_VECTOR_FLOATS), aligned(4), may_alias));
typedef int32_t int_vec __attribute__((vector_size(4 * LVAE_VECTOR_FLOATS)));
typedef double double_vec __attribute__((vector_size(8 * LVAE_VECTOR_FLOATS)));

INLINE vec load(const float *p) { return *(const loose_vec *)p; }
INLINE vec load_aligned(const float *p) { return *(const vec *)p; }
INLINE void store(float *p, vec v) { *(loose_vec *)p = v; }
INLINE void store_aligned(float *p, vec v) { *(vec *)p = v; }
/// Past the caches; `p` is aligned.
INLINE void store_streaming(float *p, vec v) { __builtin_nontemporal_store(v, (vec *)p); }

INLINE vec splat(float value) { return value - (vec){0}; }

/// The first `count` of a vector's floats, then zeros.
INLINE vec load_part(const float *p, size_t count) {
  if (count >= vector_floats) return load(p);
  vec v = {0};
  memcpy(&v, p, count * sizeof *p);
  return v;
}

INLINE void store_part(float *p, vec v, size_t count) {
  if (count >= vector_floats) store(p, v);
  else memcpy(p, &v, count * sizeof *p);
}

/// max(v, 0), and NaN stays.
INLINE vec relu(vec v) { return (vec)((int_vec)v & ~(int_vec)(v < 0)); }

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
