#include "arithmetic_peak.h"

// x ← x·a + b on as many independent vectors as hide the latency of a fused multiply-add (4 cycles,
// two a cycle) and still fit into the registers.
#define PEAK_LOOP(name, floats, sums)                                          \
  static uint64_t name(size_t rounds, float *sink) {                           \
    _Pragma("clang fp contract(fast)")                                         \
    typedef float vec __attribute__((vector_size(4 * floats)));                \
    vec x[sums];                                                               \
    const vec a = 0.999f - (vec){0}, b = *sink - (vec){0};                     \
    _Pragma("clang loop unroll(full)")                                         \
    for (int i = 0; i < sums; i++) x[i] = (float)i - (vec){0};                 \
    for (size_t round = 0; round < rounds; round++) {                          \
      _Pragma("clang loop unroll(full)")                                       \
      for (int i = 0; i < sums; i++) x[i] = x[i] * a + b;                      \
    }                                                                          \
    vec total = {0};                                                           \
    for (int i = 0; i < sums; i++) total += x[i];                              \
    *sink = total[0] + total[floats - 1];                                      \
    return (uint64_t)rounds * 2 * floats * sums;                               \
  }

PEAK_LOOP(arithmetic_peak_portable, 4, 12)

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
PEAK_LOOP(arithmetic_peak_avx2, 8, 12)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
PEAK_LOOP(arithmetic_peak_avx512, 16, 20)
#pragma clang attribute pop
#endif

uint64_t lvae_arithmetic_peak_run(lvae_isa isa, size_t rounds, float *sink) {
#if defined(__x86_64__)
  if (isa == lvae_isa_avx512) return arithmetic_peak_avx512(rounds, sink);
  if (isa == lvae_isa_avx2) return arithmetic_peak_avx2(rounds, sink);
#endif
  (void)isa;
  return arithmetic_peak_portable(rounds, sink);
}
