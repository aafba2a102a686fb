#include "reference.h"

#include <math.h>

void lvae_reference_group_norm(
    const float *x, size_t pixels, size_t channels, size_t groups, float epsilon,
    const float *weight, const float *bias, lvae_activation activation, float *y) {
  const size_t width = channels / groups;
  for (size_t group = 0; group < groups; group++) {
    double sum = 0, squares = 0;
    for (size_t pixel = 0; pixel < pixels; pixel++)
      for (size_t c = group * width; c < (group + 1) * width; c++) sum += x[pixel * channels + c];
    const double mean = sum / (double)(pixels * width);
    for (size_t pixel = 0; pixel < pixels; pixel++)
      for (size_t c = group * width; c < (group + 1) * width; c++) {
        const double d = x[pixel * channels + c] - mean;
        squares += d * d;
      }
    const double rstd = 1 / sqrt(squares / (double)(pixels * width) + (double)epsilon);
    for (size_t c = group * width; c < (group + 1) * width; c++) {
      const float scale = (float)(rstd * (double)weight[c]);
      const float offset = (float)((double)bias[c] - mean * rstd * (double)weight[c]);
      for (size_t pixel = 0; pixel < pixels; pixel++) {
        float v = x[pixel * channels + c] * scale + offset;
        if (activation == lvae_activation_silu) v = v / (1 + expf(-v));
        if (activation == lvae_activation_relu) v = v > 0 ? v : 0;
        y[pixel * channels + c] = v;
      }
    }
  }
}

void lvae_reference_softmax_block(
    float *scores, size_t rows, size_t columns, float scale, float *running_max,
    float *running_sum, float *correction) {
  for (size_t row = 0; row < rows; row++, scores += columns) {
    float maximum = running_max[row];
    for (size_t i = 0; i < columns; i++)
      if (scores[i] * scale > maximum) maximum = scores[i] * scale;
    correction[row] = expf(running_max[row] - maximum);
    float sum = 0;
    for (size_t i = 0; i < columns; i++) sum += scores[i] = expf(scores[i] * scale - maximum);
    running_sum[row] = running_sum[row] * correction[row] + sum;
    running_max[row] = maximum;
  }
}
