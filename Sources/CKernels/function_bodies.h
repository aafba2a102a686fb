// The bodies of the functions in function.h and of their derivatives.
#pragma once
#include "exponential.h"
#include "function.h"

#pragma clang fp contract(fast)

/// Natural logarithm: absolute error below 1e-7 near 1, relative error below 2e-7 elsewhere.
INLINE vec logarithm(vec x) {
  // Numbers below the normal ones are brought to where their exponent can be read.
  int_vec tiny = (int_vec)(x < 0x1p-126f);
  vec scaled = choose(tiny, x * 0x1p23f, x);
  // x = 2ⁿ m with m in √½…√2.
  int_vec exponent = ((int_vec)scaled - 0x3f3504f3) >> 23;
  vec m = (vec)((int_vec)scaled - (exponent << 23)) - 1.0f;
  vec n = __builtin_convertvector(exponent - (tiny & 23), vec);
  // Polynomial for log(1 + m) (Cephes logf).
  vec p = m * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  vec z = m * m;
  p = p * m * z + n * -2.12194440e-4f - z * 0.5f;
  vec y = m + p + n * 0.693359375f;
  y = choose(x == __builtin_inff(), x, y);
  y = choose(x == 0, splat(-__builtin_inff()), y);
  return choose(~(int_vec)(x >= 0), splat(__builtin_nanf("")), y);
}

INLINE vec absolute(vec x) { return (vec)((int_vec)x & 0x7fffffff); }

INLINE vec sigmoid(vec x) { return 1.0f / (1.0f + exponential(-x)); }

INLINE vec hyperbolic_tangent(vec x) {
  vec size = absolute(x), z = x * x;
  // Near 0 a polynomial (Cephes tanhf), as the difference below would cancel.
  vec p = z * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  vec near = p * z * x + x;
  vec far = 1.0f - 2.0f / (exponential(size + size) + 1.0f);
  vec signed_far = (vec)((int_vec)far | ((int_vec)x & ~0x7fffffff));
  return choose(size < 0.625f, near, signed_far);
}

/// max(x, 0) + log(1 + u) with u = exp(−|x|), the logarithm corrected for the rounding of 1 + u.
INLINE vec softplus(vec x) {
  vec u = exponential(-absolute(x)), w = 1.0f + u;
  vec corrected = logarithm(w) * u / choose(w == 1.0f, splat(1), w - 1.0f);
  return relu(x) + choose(w == 1.0f, u, corrected);
}

INLINE vec function_value(const lvae_function function, float parameter, vec x) {
  switch (function) {
    case lvae_function_relu: return relu(x);
    case lvae_function_leaky_relu: return choose(x < 0, x * parameter, x);
    case lvae_function_silu: return x / (1.0f + exponential(-x));
    case lvae_function_sigmoid: return sigmoid(x);
    case lvae_function_tanh: return hyperbolic_tangent(x);
    case lvae_function_softplus: return softplus(x);
    case lvae_function_log: return logarithm(x);
    case lvae_function_square_root: return __builtin_elementwise_sqrt(x);
    case lvae_function_square: return x * x;
    case lvae_function_absolute: return absolute(x);
  }
  return x;
}

/// f′ at x, or at y where function.h says so.
INLINE vec function_derivative(const lvae_function function, float parameter, vec at) {
  switch (function) {
    case lvae_function_relu: return choose(at > 0, splat(1), splat(0));
    case lvae_function_leaky_relu: return choose(at > 0, splat(1), splat(parameter));
    case lvae_function_silu: {
      vec s = sigmoid(at);
      return s * (1.0f + at * (1.0f - s));
    }
    case lvae_function_sigmoid: return at * (1.0f - at);
    case lvae_function_tanh: return 1.0f - at * at;
    case lvae_function_softplus: return sigmoid(at);
    case lvae_function_log: return 1.0f / at;
    case lvae_function_square_root: return 0.5f / at;
    case lvae_function_square: return at + at;
    case lvae_function_absolute:
      return choose(at == 0, splat(0), (vec)((int_vec)splat(1) | ((int_vec)at & ~0x7fffffff)));
  }
  return at;
}

INLINE void apply_function(
    const lvae_function function, float parameter, const float *x, float *y, size_t count) {
  size_t i = 0;
  for (; i + vector_floats <= count; i += vector_floats)
    store(y + i, function_value(function, parameter, load(x + i)));
  if (i < count)
    store_part(y + i, function_value(function, parameter, load_part(x + i, count - i)), count - i);
}

INLINE void apply_derivative(
    const lvae_function function, float parameter, const float *at, const float *dy, float *dx,
    size_t count) {
  size_t i = 0;
  for (; i + vector_floats <= count; i += vector_floats)
    store(dx + i, load(dy + i) * function_derivative(function, parameter, load(at + i)));
  if (i == count) return;
  vec derivative = function_derivative(function, parameter, load_part(at + i, count - i));
  store_part(dx + i, load_part(dy + i, count - i) * derivative, count - i);
}

// One loop for each function.
#define LVAE_EACH_FUNCTION(CASE)                                                  \
  CASE(relu) CASE(leaky_relu) CASE(silu) CASE(sigmoid) CASE(tanh) CASE(softplus) \
  CASE(log) CASE(square_root) CASE(square) CASE(absolute)

static void function_apply(
    lvae_function function, float parameter, const float *x, float *y, size_t count) {
#define CASE(name) \
  case lvae_function_##name: \
    apply_function(lvae_function_##name, parameter, x, y, count); \
    return;
  switch (function) { LVAE_EACH_FUNCTION(CASE) }
#undef CASE
}

static void function_gradient(
    lvae_function function, float parameter, const float *at, const float *dy, float *dx,
    size_t count) {
#define CASE(name) \
  case lvae_function_##name: \
    apply_derivative(lvae_function_##name, parameter, at, dy, dx, count); \
    return;
  switch (function) { LVAE_EACH_FUNCTION(CASE) }
#undef CASE
}
