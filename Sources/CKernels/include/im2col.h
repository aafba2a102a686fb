// Patches of an image as the rows of a matrix, so that a convolution becomes a matrix product.
#pragma once
#include <stdbool.h>
#include <stddef.h>

/// Which input pixel each tap of each grid position reads: along each axis,
/// `position * stride + offset + tap * tap_step`; outside of the image it reads zero.
typedef struct lvae_im2col_shape {
  size_t height, width, channels;  // the image, [height][width][channels]
  size_t grid_width;               // positions in a row of the grid
  size_t kernel_height, kernel_width;
  size_t stride;
  ptrdiff_t offset_y, offset_x;  // minus the padding
  ptrdiff_t tap_step;            // 1; -1 for a transposed convolution
  bool upsample;                 // read the image enlarged ×2, nearest neighbour
} lvae_im2col_shape;

/// Writes the patches of grid positions `first ..< first + count`, in row-major order, to `columns`:
/// `[count][kernel_height][kernel_width][channels]`. `columns` doesn't overlap `image`.
void lvae_im2col(
    const lvae_im2col_shape *shape, const float *image, size_t first, size_t count, float *columns);
