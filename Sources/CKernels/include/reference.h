// Interim portable kernels; see reference.c.
#pragma once
#include <stddef.h>
#include "elementwise.h"

void lvae_reference_group_norm(
    const float *x, size_t pixels, size_t channels, size_t groups, float epsilon,
    const float *weight, const float *bias, lvae_activation activation, float *y);
void lvae_reference_softmax_block(
    float *scores, size_t rows, size_t columns, float scale, float *running_max,
    float *running_sum, float *correction);
