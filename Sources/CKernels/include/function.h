// Functions of one number, and their derivatives, for training.
#pragma once
#include <stddef.h>

#include "instruction_set.h"

typedef enum lvae_function {
  lvae_function_relu,        // max(x, 0)
  lvae_function_leaky_relu,  // x, or parameter · x where x < 0
  lvae_function_silu,        // x / (1 + exp(−x))
  lvae_function_sigmoid,     // 1 / (1 + exp(−x))
  lvae_function_tanh,
  lvae_function_softplus,    // log(1 + exp(x))
  lvae_function_log,         // natural; −∞ at 0, NaN below
  lvae_function_square_root,
  lvae_function_square,
  lvae_function_absolute,
} lvae_function;

/// y = f(x). Relative errors are below 4e-7, but for the logarithm near 1, whose absolute error is
/// below 1e-7. `y` may be `x`.
void lvae_function_apply(
    lvae_isa isa, lvae_function function, float parameter, const float *x, float *y, size_t count);

/// dx = dy · f′(x), where `at` is y for sigmoid, tanh and square_root, and x for all others. At its
/// kink a derivative is the left one; that of the absolute value is 0. `dx` may be `dy`.
void lvae_function_gradient(
    lvae_isa isa, lvae_function function, float parameter, const float *at, const float *dy,
    float *dx, size_t count);
