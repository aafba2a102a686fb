// The input gradient of a convolution, as another convolution.
#include <string.h>

#include "convolution_gradient.h"

/// Whether one axis of a convolution of stride 2 is undone by the transposed 4×4 one, its kernel
/// shifted into that one's.
static bool undone_by_transposed(size_t input, size_t output, size_t kernel, ptrdiff_t pad) {
  return input == 2 * output && (pad == 0 || pad == 1) && kernel + 1 - (size_t)pad <= 4;
}

bool lvae_conv2d_input_gradient_shape(
    const lvae_conv2d_shape *shape, lvae_conv2d_shape *gradient) {
  *gradient = (lvae_conv2d_shape){
      .batch = shape->batch,
      .height = shape->out_height,
      .width = shape->out_width,
      .in_channels = shape->out_channels,
      .out_height = shape->height,
      .out_width = shape->width,
      .out_channels = shape->in_channels,
      .kernel_height = 4,
      .kernel_width = 4,
      .stride = 2,
      .pad_top = 1,
      .pad_left = 1};
  if (shape->upsample || shape->transposed) return true;
  if (shape->stride == 2) {
    gradient->transposed = true;
    return undone_by_transposed(
               shape->height, shape->out_height, shape->kernel_height, shape->pad_top) &&
           undone_by_transposed(
               shape->width, shape->out_width, shape->kernel_width, shape->pad_left);
  }
  gradient->kernel_height = shape->kernel_height;
  gradient->kernel_width = shape->kernel_width;
  gradient->stride = 1;
  gradient->pad_top = (ptrdiff_t)shape->kernel_height - 1 - shape->pad_top;
  gradient->pad_left = (ptrdiff_t)shape->kernel_width - 1 - shape->pad_left;
  return shape->stride == 1;
}

/// target[Co][Ci] += source[Ci][Co] transposed, in squares that stay in the cache.
static void add_transposed(const float *source, size_t inputs, size_t outputs, float *target) {
  enum { side = 16 };
  for (size_t i0 = 0; i0 < inputs; i0 += side)
    for (size_t o0 = 0; o0 < outputs; o0 += side)
      for (size_t o = o0; o < o0 + side && o < outputs; o++)
        for (size_t i = i0; i < i0 + side && i < inputs; i++)
          target[o * inputs + i] += source[i * outputs + o];
}

void lvae_conv2d_input_gradient_weights(
    const lvae_conv2d_shape *shape, const float *weights, float *gradient_weights) {
  lvae_conv2d_shape gradient;
  lvae_conv2d_input_gradient_shape(shape, &gradient);
  size_t matrix = shape->in_channels * shape->out_channels;
  memset(
      gradient_weights, 0,
      gradient.kernel_height * gradient.kernel_width * matrix * sizeof *gradient_weights);
  // Doubling the input makes each of its pixels two by two: the kernel is added in four places.
  size_t copies = shape->upsample ? 2 : 1;
  for (size_t ky = 0; ky < shape->kernel_height; ky++)
    for (size_t kx = 0; kx < shape->kernel_width; kx++)
      for (size_t copy = 0; copy < copies * copies; copy++) {
        size_t y = ky, x = kx;
        if (gradient.transposed) {
          y = ky + 1 - (size_t)shape->pad_top;
          x = kx + 1 - (size_t)shape->pad_left;
        } else if (!shape->transposed) {
          y = shape->kernel_height - 1 - ky + copy / 2;
          x = shape->kernel_width - 1 - kx + copy % 2;
        }
        add_transposed(
            weights + (ky * shape->kernel_width + kx) * matrix, shape->in_channels,
            shape->out_channels, gradient_weights + (y * gradient.kernel_width + x) * matrix);
      }
}
