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

void lvae_subtract(const float *x, const float *z, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] - z[i];
}

void lvae_divide(const float *x, const float *z, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] / z[i];
}

void lvae_add_scaled(const float *x, float scale, const float *z, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] + scale * z[i];
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

void lvae_clamp_gradient(
    const float *x, float low, float high, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] = x[i] < low || x[i] > high ? 0 : dy[i];
}

void lvae_soft_clamp_gradient(
    const float *y, float limit, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float tangent = y[i] / limit;
    dx[i] = dy[i] * (1 - tangent * tangent);
  }
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

enum { stretch = 1024 };  // stays in the first cache while all taps are added to it

void lvae_correlate(
    const float *x, const float *taps, size_t tap_count, size_t step, float *y, size_t count) {
  for (size_t first = 0; first < count; first += stretch) {
    const size_t end = first + stretch < count ? first + stretch : count;
    for (size_t i = first; i < end; i++) y[i] = taps[0] * x[i];
    for (size_t t = 1; t < tap_count; t++)
      for (size_t i = first; i < end; i++) y[i] += taps[t] * x[i + t * step];
  }
}

void lvae_correlate_gradient(
    const float *dy, const float *taps, size_t tap_count, size_t step, float *dx, size_t count) {
  memset(dx, 0, (count + (tap_count - 1) * step) * sizeof *dx);
  for (size_t first = 0; first < count; first += stretch) {
    const size_t end = first + stretch < count ? first + stretch : count;
    for (size_t t = 0; t < tap_count; t++)
      for (size_t i = first; i < end; i++) dx[i + t * step] += taps[t] * dy[i];
  }
}
