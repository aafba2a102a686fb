#include "include/half.h"

#include <stdint.h>
#include <string.h>

static inline uint16_t load16(const void *base, size_t i) {
  uint16_t value;
  memcpy(&value, (const char *)base + 2 * i, 2);
  return value;
}

static inline uint32_t load32(const void *base, size_t i) {
  uint32_t value;
  memcpy(&value, (const char *)base + 4 * i, 4);
  return value;
}

static inline void store16(void *base, size_t i, uint16_t value) {
  memcpy((char *)base + 2 * i, &value, 2);
}

static inline void store32(void *base, size_t i, uint32_t value) {
  memcpy((char *)base + 4 * i, &value, 4);
}

static inline uint32_t half_bits_to_float_bits(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
  if (exponent == 31)
    return sign | 0x7f800000 | (mantissa << 13) | (mantissa ? 0x00400000 : 0);
  if (exponent != 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  // Zero or subnormal: mantissa * 2^-24, which a float holds exactly.
  float value = (float)mantissa * 0x1p-24f;
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return sign | bits;
}

static inline uint16_t float_bits_to_half_bits(uint32_t bits) {
  uint16_t sign = (uint16_t)((bits >> 16) & 0x8000);
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return (uint16_t)(sign | 0x7e00 | ((magnitude >> 13) & 0x3ff));
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // 65520 and more round to infinity
  if (magnitude < 0x38800000) {
    // Below 2^-14. Adding 1/2 leaves the result's bits at the end of the mantissa, rounded.
    float value;
    memcpy(&value, &magnitude, 4);
    value += 0.5f;
    uint32_t sum;
    memcpy(&sum, &value, 4);
    return (uint16_t)(sign | (sum - 0x3f000000));
  }
  uint32_t odd = (magnitude >> 13) & 1;
  return (uint16_t)(sign | ((magnitude - (112u << 23) + 0xfff + odd) >> 13));
}

void lvae_half_widen_portable(const void *source, void *destination, size_t count) {
  for (size_t i = 0; i < count; i++)
    store32(destination, i, half_bits_to_float_bits(load16(source, i)));
}

void lvae_half_narrow_portable(const void *source, void *destination, size_t count) {
  for (size_t i = 0; i < count; i++)
    store16(destination, i, float_bits_to_half_bits(load32(source, i)));
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx,f16c"))) static void half_widen_f16c(
    const void *source, void *destination, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m128i half = _mm_loadu_si128((const __m128i *)((const char *)source + 2 * i));
    _mm256_storeu_ps((float *)((char *)destination + 4 * i), _mm256_cvtph_ps(half));
  }
  lvae_half_widen_portable((const char *)source + 2 * i, (char *)destination + 4 * i, count - i);
}

__attribute__((target("avx,f16c"))) static void half_narrow_f16c(
    const void *source, void *destination, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 value = _mm256_loadu_ps((const float *)((const char *)source + 4 * i));
    __m128i half = _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm_storeu_si128((__m128i *)((char *)destination + 2 * i), half);
  }
  lvae_half_narrow_portable((const char *)source + 4 * i, (char *)destination + 2 * i, count - i);
}

static int has_f16c(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("f16c") && __builtin_cpu_supports("avx");
}
#endif

void lvae_half_widen(const void *source, void *destination, size_t count) {
#if defined(__x86_64__)
  if (has_f16c()) {
    half_widen_f16c(source, destination, count);
    return;
  }
#endif
  lvae_half_widen_portable(source, destination, count);
}

void lvae_half_narrow(const void *source, void *destination, size_t count) {
#if defined(__x86_64__)
  if (has_f16c()) {
    half_narrow_f16c(source, destination, count);
    return;
  }
#endif
  lvae_half_narrow_portable(source, destination, count);
}

void lvae_bfloat16_widen(const void *source, void *destination, size_t count) {
  for (size_t i = 0; i < count; i++)
    store32(destination, i, (uint32_t)load16(source, i) << 16);
}

void lvae_bfloat16_narrow(const void *source, void *destination, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = load32(source, i);
    uint32_t is_nan = (bits & 0x7fffffff) > 0x7f800000;
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    store16(destination, i, (uint16_t)(is_nan ? ((bits >> 16) | 0x40) : rounded));
  }
}
