// One number at a time. `y` may be `x` itself; otherwise they don't overlap.
#pragma once
#include <stddef.h>

/// y = scale · x + offset
void lvae_affine(const float *x, float scale, float offset, float *y, size_t count);

/// y = x + z
void lvae_add(const float *x, const float *z, float *y, size_t count);

/// y = x · z
void lvae_multiply(const float *x, const float *z, float *y, size_t count);

/// y = limit · tanh(x / limit)
void lvae_soft_clamp(const float *x, float limit, float *y, size_t count);

/// y = exp(scale · x)
void lvae_exp(const float *x, float scale, float *y, size_t count);

/// y = min(max(x, low), high); NaN stays NaN.
void lvae_clamp(const float *x, float low, float high, float *y, size_t count);

/// Whether no number is infinite or NaN.
int lvae_all_finite(const float *x, size_t count);

/// y[p][c] = scale[c] · x[p][c] + offset[c], for `pixels` rows of `channels` numbers.
void lvae_affine_channels(
    const float *x, const float *scale, const float *offset, float *y, size_t pixels,
    size_t channels);
