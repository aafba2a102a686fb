// One number at a time. `y` may be `x` itself; otherwise they don't overlap.
#pragma once
#include <stddef.h>

/// y = scale · x + offset
void lvae_affine(const float *x, float scale, float offset, float *y, size_t count);

/// y = x + z
void lvae_add(const float *x, const float *z, float *y, size_t count);

/// y = x · z
void lvae_multiply(const float *x, const float *z, float *y, size_t count);

/// y = x − z
void lvae_subtract(const float *x, const float *z, float *y, size_t count);

/// y = x / z
void lvae_divide(const float *x, const float *z, float *y, size_t count);

/// y = x + scale · z
void lvae_add_scaled(const float *x, float scale, const float *z, float *y, size_t count);

/// y = limit · tanh(x / limit)
void lvae_soft_clamp(const float *x, float limit, float *y, size_t count);

/// y = exp(scale · x)
void lvae_exp(const float *x, float scale, float *y, size_t count);

/// y = min(max(x, low), high); NaN stays NaN.
void lvae_clamp(const float *x, float low, float high, float *y, size_t count);

/// dx = dy where x is in the range, else 0. `dx` may be `dy`.
void lvae_clamp_gradient(
    const float *x, float low, float high, const float *dy, float *dx, size_t count);

/// dx = dy · (1 − (y / limit)²), for y of ::lvae_soft_clamp. `dx` may be `dy`.
void lvae_soft_clamp_gradient(
    const float *y, float limit, const float *dy, float *dx, size_t count);

/// Whether no number is infinite or NaN.
int lvae_all_finite(const float *x, size_t count);

/// y[p][c] = scale[c] · x[p][c] + offset[c], for `pixels` rows of `channels` numbers.
void lvae_affine_channels(
    const float *x, const float *scale, const float *offset, float *y, size_t pixels,
    size_t channels);

/// y[i] = Σ taps[t] · x[i + t · step], for `count` numbers of y. `y` and `x` don't overlap.
void lvae_correlate(
    const float *x, const float *taps, size_t tap_count, size_t step, float *y, size_t count);

/// dx[i + t · step] = Σ taps[t] · dy[i], for `count` numbers of dy: the gradient of
/// ::lvae_correlate. All `count + (tap_count − 1) · step` numbers of dx are written.
void lvae_correlate_gradient(
    const float *dy, const float *taps, size_t tap_count, size_t step, float *dx, size_t count);
