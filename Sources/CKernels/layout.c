#include "layout.h"

#include <string.h>

void lvae_transpose(const float *x, size_t rows, size_t columns, float *y) {
  // In squares, so that both sides stay within a few cache lines.
  enum { side = 16 };
  for (size_t row0 = 0; row0 < rows; row0 += side) {
    const size_t row1 = row0 + side < rows ? row0 + side : rows;
    for (size_t column0 = 0; column0 < columns; column0 += side) {
      const size_t column1 = column0 + side < columns ? column0 + side : columns;
      for (size_t column = column0; column < column1; column++)
        for (size_t row = row0; row < row1; row++)
          y[column * rows + row] = x[row * columns + column];
    }
  }
}

void lvae_copy_strided(
    const float *x, size_t x_stride, float *y, size_t y_stride, size_t count, size_t pixels) {
  for (size_t pixel = 0; pixel < pixels; pixel++)
    memcpy(y + pixel * y_stride, x + pixel * x_stride, count * sizeof *y);
}

void lvae_upsample_nearest_2x(
    const float *x, size_t height, size_t width, size_t channels, float *y) {
  const size_t row = 2 * width * channels;
  for (size_t i = 0; i < height; i++, y += 2 * row) {
    for (size_t j = 0; j < width; j++, x += channels) {
      memcpy(y + 2 * j * channels, x, channels * sizeof *y);
      memcpy(y + (2 * j + 1) * channels, x, channels * sizeof *y);
    }
    memcpy(y + row, y, row * sizeof *y);
  }
}
