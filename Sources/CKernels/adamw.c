#include "adamw.h"

#include <math.h>

// Loops without branches or carried values: compilers make vectors of them, square roots and
// divisions too, and each number is rounded alike whatever the width.

void lvae_adamw(
    const float *restrict x, const float *restrict gradient, const float *restrict first,
    const float *restrict second, float *restrict new_x, float *restrict new_first,
    float *restrict new_second, size_t count, const lvae_adamw_factors *factors) {
  const lvae_adamw_factors f = *factors;
  const float rest1 = 1 - f.beta1, rest2 = 1 - f.beta2;
  for (size_t i = 0; i < count; i++) {
    float g = f.gradient_scale * gradient[i];
    float m = first[i] + rest1 * (g - first[i]);
    float v = f.beta2 * second[i] + rest2 * (g * g);
    new_first[i] = m;
    new_second[i] = v;
    float spread = __builtin_elementwise_sqrt(v) * f.inverse_root_correction + f.epsilon;
    new_x[i] = f.decay * x[i] - f.step_size * (m / spread);
  }
}

void lvae_blend(const float *x, float a, const float *z, float b, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = a * x[i] + b * z[i];
}
