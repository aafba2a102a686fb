// The same numbers in another order. Sources and destinations don't overlap.
#pragma once
#include <stddef.h>

/// `[rows][columns]` → `[columns][rows]`; planar ⇄ channels last, a picture at a time.
void lvae_transpose(const float *x, size_t rows, size_t columns, float *y);

/// Joins or splits blocks of channels: for each of `pixels` pixels, `count` floats at
/// `x + pixel * x_stride` go to `y + pixel * y_stride`.
void lvae_copy_strided(
    const float *x, size_t x_stride, float *y, size_t y_stride, size_t count, size_t pixels);

/// Nearest-neighbour enlargement ×2: `[height][width][channels]` → `[2·height][2·width][channels]`.
void lvae_upsample_nearest_2x(
    const float *x, size_t height, size_t width, size_t channels, float *y);
