// The exponential of a vector.
#pragma once
#include "vectors.h"

#pragma clang fp contract(fast)

/// The lanes of `a` where `mask` (0 or −1), else those of `b`.
INLINE vec choose(int_vec mask, vec a, vec b) {
  return (vec)((mask & (int_vec)a) | (~mask & (int_vec)b));
}

/// Relative error below 2e-7 for x in −87.3…88.3; 0 below, exp(88.37) above, NaN for NaN.
INLINE vec exponential(vec x) {
  vec bounded = choose(x > 88.37f, splat(88.37f), x);
  // exp(x) = 2ⁿ exp(r), n the nearest integer to x / ln 2: adding 1.5 · 2²³ rounds to integers, and
  // leaves n in the low bits.
  const float magic = 0x1.8p23f;
  vec shifted = bounded * 1.44269504f + magic;
  vec n = shifted - magic;
  int_vec power = ((int_vec)shifted - (int_vec)splat(magic) + 127) << 23;
  // ln 2 in two parts, of which the first times n is exact.
  vec r = bounded - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  // Minimax polynomial for (exp(r) − 1 − r) / r² on ±ln 2 / 2 (Cephes expf).
  vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + (r + 1.0f);
  return choose(x < -87.3f, (vec){0}, p * (vec)power);
}
