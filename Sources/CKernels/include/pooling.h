// Squares of 2×2 pixels, float32 NHWC. What is read and what is written don't overlap.
#pragma once
#include <stddef.h>

/// y = scale · the sum of each square: x[2·height][2·width][channels] → y[height][width][channels].
/// `row` is the number of floats from one row of x to the next, 2·width·channels or more.
void lvae_sum_2x2(
    const float *x, size_t row, size_t height, size_t width, size_t channels, float scale,
    float *y);

/// y = the greatest of each square, number by number; of the same shapes.
void lvae_max_2x2(
    const float *x, size_t row, size_t height, size_t width, size_t channels, float *y);

/// dx = dy where x was the first greatest of its square, else 0; dx is shaped as x.
void lvae_max_2x2_gradient(
    const float *x, const float *dy, size_t row, size_t height, size_t width, size_t channels,
    float *dx);
