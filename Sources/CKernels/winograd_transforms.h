// The one-dimensional transforms of Winograd's minimal filtering, F(m, r) with α = m + r − 1:
// y = Aᵀ[(G g) ⊙ (Bᵀ d)] for α inputs d, r taps g and m outputs y (Lavin and Gray 2015,
// arXiv:1509.09308). They follow from the points at which polynomials are evaluated (Toom–Cook);
// ours were searched for the smallest rounding error.
#pragma once
#include "vectors.h"

#pragma clang fp contract(fast)

// F(2, 3), α = 4: points 0, ±1, ∞.

INLINE void f23_input(const vec *d, vec *o) {
  o[0] = d[0] - d[2];
  o[1] = d[2] + d[1];
  o[2] = d[2] - d[1];
  o[3] = d[3] - d[1];
}

INLINE void f23_output(const vec *m, vec *y) {
  y[0] = m[0] + (m[1] + m[2]);
  y[1] = (m[1] - m[2]) + m[3];
}

static const double f23_weights[4][3] = {
    {1, 0, 0},
    {0.5, 0.5, 0.5},
    {0.5, -0.5, 0.5},
    {0, 0, 1},
};

// F(4, 3), α = 6: points 0, ±a, ±b, ∞ with a = 5/8, b = 3/2. The textbook's 0, ±1, ±2, ∞ rounds
// twice as much.
#define F43_A 0.625
#define F43_B 1.5

INLINE void f43_input(const vec *d, vec *o) {
  const float a = F43_A, b = F43_B, a2 = a * a, b2 = b * b;
  vec e = d[4] - b2 * d[2], f = d[3] - b2 * d[1];
  vec g = d[4] - a2 * d[2], h = d[3] - a2 * d[1];
  o[0] = a2 * b2 * d[0] + (d[4] - (a2 + b2) * d[2]);
  o[1] = e + a * f;
  o[2] = e - a * f;
  o[3] = g + b * h;
  o[4] = g - b * h;
  o[5] = a2 * b2 * d[1] + (d[5] - (a2 + b2) * d[3]);
}

INLINE void f43_output(const vec *m, vec *y) {
  const float a = F43_A, b = F43_B, a2 = a * a, b2 = b * b;
  vec p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], t = m[3] - m[4];
  y[0] = m[0] + p + r;
  y[1] = a * q + b * t;
  y[2] = a2 * p + b2 * r;
  y[3] = (a2 * a) * q + ((b2 * b) * t + m[5]);
}

// One over the products of differences of points.
#define F43_0 (1 / (F43_A * F43_A * F43_B * F43_B))
#define F43_1 (1 / (2 * F43_A * F43_A * (F43_A * F43_A - F43_B * F43_B)))
#define F43_2 (1 / (2 * F43_B * F43_B * (F43_B * F43_B - F43_A * F43_A)))
static const double f43_weights[6][3] = {
    {F43_0, 0, 0},
    {F43_1, F43_1 * F43_A, F43_1 * F43_A * F43_A},
    {F43_1, -F43_1 * F43_A, F43_1 * F43_A * F43_A},
    {F43_2, F43_2 * F43_B, F43_2 * F43_B * F43_B},
    {F43_2, -F43_2 * F43_B, F43_2 * F43_B * F43_B},
    {0, 0, 1},
};

// F(3, 4), α = 6 and the same points: three outputs, the gradient of three weights, of four "taps",
// the gradient of an output tile. Its Bᵀ is F(4, 3)'s.

INLINE void f34_taps(const vec *d, vec *o) {
  const float a = F43_A, b = F43_B, a2 = a * a, b2 = b * b;
  const float n0 = F43_0, n1 = F43_1, n2 = F43_2;
  vec p = d[0] + a2 * d[2], q = a * d[1] + (a2 * a) * d[3];
  vec r = d[0] + b2 * d[2], s = b * d[1] + (b2 * b) * d[3];
  o[0] = n0 * d[0];
  o[1] = n1 * (p + q);
  o[2] = n1 * (p - q);
  o[3] = n2 * (r + s);
  o[4] = n2 * (r - s);
  o[5] = d[3];
}

INLINE void f34_output(const vec *m, vec *y) {
  const float a = F43_A, b = F43_B, a2 = a * a, b2 = b * b;
  vec p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], t = m[3] - m[4];
  y[0] = m[0] + p + r;
  y[1] = a * q + b * t;
  y[2] = a2 * p + (b2 * r + m[5]);
}

// F(6, 3), α = 8: points 0, ±1, ±2, ±1/2, ∞.

INLINE void f63_input(const vec *d, vec *o) {
  vec a = d[2] + d[6] - 4.25f * d[4], b = d[1] + d[5] - 4.25f * d[3];
  vec c = 0.25f * d[2] + (d[6] - 1.25f * d[4]), e = 0.5f * d[1] + (2 * d[5] - 2.5f * d[3]);
  vec g = 4 * (d[2] - 1.25f * d[4]) + d[6], h = 2 * d[1] + (0.5f * d[5] - 2.5f * d[3]);
  o[0] = 5.25f * (d[4] - d[2]) + (d[0] - d[6]);
  o[1] = a + b;
  o[2] = a - b;
  o[3] = c + e;
  o[4] = c - e;
  o[5] = g + h;
  o[6] = g - h;
  o[7] = 5.25f * (d[3] - d[5]) + (d[7] - d[1]);
}

INLINE void f63_output(const vec *m, vec *y) {
  vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4];
  vec d = m[3] - m[4], e = m[5] + m[6], f = m[5] - m[6];
  y[0] = (m[0] + a) + (c + e);
  y[1] = 2 * d + (0.5f * f + b);
  y[2] = 4 * c + (0.25f * e + a);
  y[3] = 8 * d + (0.125f * f + b);
  y[4] = 16 * c + (0.0625f * e + a);
  y[5] = 32 * d + (0.03125f * f + b) + m[7];
}

static const double f63_weights[8][3] = {
    {1, 0, 0},
    {-2. / 9, -2. / 9, -2. / 9},
    {-2. / 9, 2. / 9, -2. / 9},
    {1. / 90, 1. / 45, 2. / 45},
    {1. / 90, -1. / 45, 2. / 45},
    {32. / 45, 16. / 45, 8. / 45},
    {32. / 45, -16. / 45, 8. / 45},
    {0, 0, 1},
};

// F(4, 2), α = 5: points 0, ±a, b, ∞ with a = 3/4, b = 7/4; 0, ±1, 2, ∞ rounds twice as much.
#define F42_A 0.75
#define F42_B 1.75

INLINE void f42_input(const vec *d, vec *o) {
  const float a = F42_A, b = F42_B, a2 = a * a;
  vec e = d[3] - a2 * d[1], f = d[2] - a2 * d[0];
  o[0] = e - b * f;
  o[1] = d[3] + (a - b) * d[2] - (a * b) * d[1];
  o[2] = d[3] - (a + b) * d[2] + (a * b) * d[1];
  o[3] = e;
  o[4] = (d[4] - a2 * d[2]) - b * e;
}

INLINE void f42_output(const vec *m, vec *y) {
  const float a = F42_A, b = F42_B, a2 = a * a, b2 = b * b;
  vec p = m[1] + m[2], q = m[1] - m[2];
  y[0] = m[0] + p + m[3];
  y[1] = a * q + b * m[3];
  y[2] = a2 * p + b2 * m[3];
  y[3] = (a2 * a) * q + ((b2 * b) * m[3] + m[4]);
}

#define F42_0 (1 / (F42_A * F42_A * F42_B))
#define F42_1 (1 / (2 * F42_A * F42_A * (F42_A - F42_B)))
#define F42_2 (-1 / (2 * F42_A * F42_A * (F42_A + F42_B)))
#define F42_3 (1 / (F42_B * (F42_B * F42_B - F42_A * F42_A)))
static const double f42_weights[5][2] = {
    {F42_0, 0},
    {F42_1, F42_1 * F42_A},
    {F42_2, -F42_2 * F42_A},
    {F42_3, F42_3 * F42_B},
    {0, 1},
};

// By α, which is a constant where these are called.

/// o[α] = Bᵀ d[α].
INLINE void transform_input(const size_t alpha, const vec *d, vec *o) {
  if (alpha == 4) f23_input(d, o);
  else if (alpha == 6) f43_input(d, o);
  else if (alpha == 8) f63_input(d, o);
  else f42_input(d, o);
}

/// y[m] = Aᵀ m[α].
INLINE void transform_output(const size_t alpha, const vec *m, vec *y) {
  if (alpha == 4) f23_output(m, y);
  else if (alpha == 6) f43_output(m, y);
  else if (alpha == 8) f63_output(m, y);
  else f42_output(m, y);
}

/// Row i, column k of G.
INLINE double weight_coefficient(const size_t alpha, size_t i, size_t k) {
  switch (alpha) {
    case 4: return f23_weights[i][k];
    case 6: return f43_weights[i][k];
    case 8: return f63_weights[i][k];
    default: return f42_weights[i][k];
  }
}

INLINE size_t tile_of(const size_t alpha) { return alpha == 8 ? 6 : alpha == 4 ? 2 : 4; }
