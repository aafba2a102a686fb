#include "reduction.h"

#include "row_kernels.h"

enum { lanes = 8 };

void lvae_channel_sums(
    lvae_isa isa, const float *x, size_t pixels, size_t channels, float *sums) {
  row_kernels_of(isa)->channel_sums(x, pixels, channels, sums);
}

void lvae_channel_products(
    lvae_isa isa, const float *x, const float *z, size_t pixels, size_t channels, float *sums) {
  row_kernels_of(isa)->channel_products(x, z, pixels, channels, sums);
}

// Several sums at a time, so that an addition needn't wait for the one before it.

double lvae_sum(const float *x, size_t count) {
  double sums[lanes] = {0}, sum = 0;
  size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (size_t lane = 0; lane < lanes; lane++) sums[lane] += x[i + lane];
  for (; i < count; i++) sum += x[i];
  for (size_t lane = 0; lane < lanes; lane++) sum += sums[lane];
  return sum;
}

double lvae_dot(const float *x, const float *z, size_t count) {
  double sums[lanes] = {0}, sum = 0;
  size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (size_t lane = 0; lane < lanes; lane++)
      sums[lane] += (double)x[i + lane] * (double)z[i + lane];
  for (; i < count; i++) sum += (double)x[i] * (double)z[i];
  for (size_t lane = 0; lane < lanes; lane++) sum += sums[lane];
  return sum;
}
