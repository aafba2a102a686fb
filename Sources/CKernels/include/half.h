#pragma once
#include <stddef.h>

// Conversions between float32 and the 16-bit formats that weights are stored in.
//
// `source` and `destination` hold `count` numbers, don't overlap, and need no alignment; the
// 16-bit side is little-endian, as files have it. Narrowing rounds to nearest, ties to even, and
// makes an infinity of what is too large; a NaN stays a NaN, and becomes a quiet one.

/// IEEE binary16 to float32; exact.
void lvae_half_widen(const void *source, void *destination, size_t count);

/// float32 to IEEE binary16.
void lvae_half_narrow(const void *source, void *destination, size_t count);

/// The same as ::lvae_half_widen, without the processor's conversion instructions.
void lvae_half_widen_portable(const void *source, void *destination, size_t count);

/// The same as ::lvae_half_narrow, without the processor's conversion instructions.
void lvae_half_narrow_portable(const void *source, void *destination, size_t count);

/// bfloat16 to float32; exact.
void lvae_bfloat16_widen(const void *source, void *destination, size_t count);

/// float32 to bfloat16.
void lvae_bfloat16_narrow(const void *source, void *destination, size_t count);
