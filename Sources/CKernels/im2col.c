#include "im2col.h"

#include <string.h>

void lvae_im2col(
    const lvae_im2col_shape *shape, const float *image, size_t first, size_t count,
    float *columns) {
  const size_t channels = shape->channels;
  const int shift = shape->upsample ? 1 : 0;
  const ptrdiff_t height = (ptrdiff_t)(shape->height << shift);
  const ptrdiff_t width = (ptrdiff_t)(shape->width << shift);
  for (size_t position = first; position < first + count; position++) {
    const ptrdiff_t y0 =
        (ptrdiff_t)(position / shape->grid_width * shape->stride) + shape->offset_y;
    const ptrdiff_t x0 =
        (ptrdiff_t)(position % shape->grid_width * shape->stride) + shape->offset_x;
    for (size_t ky = 0; ky < shape->kernel_height; ky++) {
      const ptrdiff_t y = y0 + (ptrdiff_t)ky * shape->tap_step;
      for (size_t kx = 0; kx < shape->kernel_width; kx++, columns += channels) {
        const ptrdiff_t x = x0 + (ptrdiff_t)kx * shape->tap_step;
        if (y < 0 || y >= height || x < 0 || x >= width) {
          memset(columns, 0, channels * sizeof *columns);
        } else {
          const size_t pixel = (size_t)(y >> shift) * shape->width + (size_t)(x >> shift);
          memcpy(columns, image + pixel * channels, channels * sizeof *columns);
        }
      }
    }
  }
}
