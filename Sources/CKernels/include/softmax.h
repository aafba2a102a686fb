// Softmax over rows that are too long to keep: attention goes through the keys block by block.
#pragma once
#include <stddef.h>

#include "instruction_set.h"

/// One step of online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867) on
/// scores[rows, columns], row r starting at scores + r · stride. `scale` is not negative. For each
/// row, with m = max(running_max, scale · max of the row):
///   correction = exp(running_max − m), scores = exp(scale · scores − m),
///   running_sum = running_sum · correction + Σ scores, running_max = m.
/// Before the first block, running_max is −∞ and running_sum 0. What was summed from earlier blocks
/// must be multiplied by `correction`; after the last block, dividing by running_sum gives the
/// softmax. Each row has a finite score in the first block, and a block at least one column.
void lvae_softmax_block(
    lvae_isa isa, float *scores, size_t rows, size_t columns, size_t stride, float scale,
    float *running_max, float *running_sum, float *correction);

/// x[r, c] *= factors[r], rows starting `stride` floats apart.
void lvae_scale_rows(
    lvae_isa isa, float *x, size_t rows, size_t columns, size_t stride, const float *factors);

/// The gradient of probabilities = softmax(scale · scores), row by row and without gaps:
/// gradients = scale · probabilities · (gradients − Σ probabilities · gradients), in place.
void lvae_softmax_gradient(
    lvae_isa isa, const float *probabilities, float *gradients, size_t rows, size_t columns,
    float scale);
