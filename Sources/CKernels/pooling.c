#include "pooling.h"

void lvae_sum_2x2(
    const float *x, size_t row, size_t height, size_t width, size_t channels, float scale,
    float *y) {
  for (size_t i = 0; i < height; i++, x += 2 * row)
    for (size_t j = 0; j < width; j++, y += channels) {
      const float *top = x + 2 * j * channels, *bottom = top + row;
      for (size_t c = 0; c < channels; c++)
        y[c] = scale * ((top[c] + top[channels + c]) + (bottom[c] + bottom[channels + c]));
    }
}

static inline float greater(float a, float b) { return b > a ? b : a; }

void lvae_max_2x2(
    const float *x, size_t row, size_t height, size_t width, size_t channels, float *y) {
  for (size_t i = 0; i < height; i++, x += 2 * row)
    for (size_t j = 0; j < width; j++, y += channels) {
      const float *top = x + 2 * j * channels, *bottom = top + row;
      for (size_t c = 0; c < channels; c++)
        y[c] = greater(
            greater(top[c], top[channels + c]), greater(bottom[c], bottom[channels + c]));
    }
}

void lvae_max_2x2_gradient(
    const float *x, const float *dy, size_t row, size_t height, size_t width, size_t channels,
    float *dx) {
  for (size_t i = 0; i < height; i++, x += 2 * row, dx += 2 * row)
    for (size_t j = 0; j < width; j++, dy += channels) {
      const float *top = x + 2 * j * channels, *bottom = top + row;
      float *top_gradient = dx + 2 * j * channels, *bottom_gradient = top_gradient + row;
      for (size_t c = 0; c < channels; c++) {
        float a = top[c], b = top[channels + c], d = bottom[c], e = bottom[channels + c];
        float most = greater(greater(a, b), greater(d, e));
        int first = a == most, second = b == most && !first;
        int third = d == most && !first && !second;
        int fourth = !first && !second && !third;
        top_gradient[c] = first ? dy[c] : 0;
        top_gradient[channels + c] = second ? dy[c] : 0;
        bottom_gradient[c] = third ? dy[c] : 0;
        bottom_gradient[channels + c] = fourth ? dy[c] : 0;
      }
    }
}
