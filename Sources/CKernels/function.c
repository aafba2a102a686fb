#include "function.h"

#include "row_kernels.h"

void lvae_function_apply(
    lvae_isa isa, lvae_function function, float parameter, const float *x, float *y,
    size_t count) {
  row_kernels_of(isa)->function_apply(function, parameter, x, y, count);
}

void lvae_function_gradient(
    lvae_isa isa, lvae_function function, float parameter, const float *at, const float *dy,
    float *dx, size_t count) {
  row_kernels_of(isa)->function_gradient(function, parameter, at, dy, dx, count);
}
