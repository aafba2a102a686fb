#include "elementwise.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

void lvae_affine(const float *x, float scale, float offset, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = scale * x[i] + offset;
}

void lvae_add(const float *x, const float *z, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] + z[i];
}

void lvae_multiply(const float *x, const float *z, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] * z[i];
}

void lvae_soft_clamp(const float *x, float limit, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = limit * tanhf(x[i] / limit);
}

void lvae_exp(const float *x, float scale, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = expf(scale * x[i]);
}

void lvae_clamp(const float *x, float low, float high, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}

int lvae_all_finite(const float *x, size_t count) {
  // A float is infinite or NaN when all bits of its exponent are set.
  const uint32_t exponent = 0x7f800000u;
  uint32_t found = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    found |= (bits & exponent) == exponent;
  }
  return !found;
}

void lvae_affine_channels(
    const float *x, const float *scale, const float *offset, float *y, size_t pixels,
    size_t channels) {
  for (size_t pixel = 0; pixel < pixels; pixel++, x += channels, y += channels)
    for (size_t c = 0; c < channels; c++) y[c] = scale[c] * x[c] + offset[c];
}
