// SHA-256 (FIPS 180-4): the compression of whole blocks. Padding is the caller's.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Takes `count` blocks of 64 bytes into `state`, with the processor's SHA instructions if it has
/// them.
void lvae_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count);

/// The same without special instructions: the reference.
void lvae_sha256_blocks_portable(uint32_t state[8], const uint8_t *blocks, size_t count);
