#include "softmax.h"

#include "row_kernels.h"

void lvae_softmax_block(
    lvae_isa isa, float *scores, size_t rows, size_t columns, size_t stride, float scale,
    float *running_max, float *running_sum, float *correction) {
  row_kernels_of(isa)->softmax_block(
      scores, rows, columns, stride, scale, running_max, running_sum, correction);
}

void lvae_scale_rows(
    lvae_isa isa, float *x, size_t rows, size_t columns, size_t stride, const float *factors) {
  row_kernels_of(isa)->scale_rows(x, rows, columns, stride, factors);
}

void lvae_softmax_gradient(
    lvae_isa isa, const float *probabilities, float *gradients, size_t rows, size_t columns,
    float scale) {
  row_kernels_of(isa)->softmax_gradient(probabilities, gradients, rows, columns, scale);
}
