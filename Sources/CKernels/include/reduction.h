// Sums. A block's are taken in single precision, in an order that depends on its size alone.
#pragma once
#include <stddef.h>

#include "instruction_set.h"

/// sums[c] = Σ x[p][c], over `pixels` rows of `channels` numbers.
void lvae_channel_sums(
    lvae_isa isa, const float *x, size_t pixels, size_t channels, float *sums);

/// sums[c] = Σ x[p][c] · z[p][c].
void lvae_channel_products(
    lvae_isa isa, const float *x, const float *z, size_t pixels, size_t channels, float *sums);

/// Σ x, in double precision.
double lvae_sum(const float *x, size_t count);

/// Σ x · z, in double precision.
double lvae_dot(const float *x, const float *z, size_t count);
