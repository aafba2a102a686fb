// How fast this processor can multiply and add, for benchmarks to compare with.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "instruction_set.h"

/// Multiplies and adds `rounds` times in registers, without memory, and returns how many
/// floating-point operations that was (a fused multiply-add counts as two). The instruction set
/// must be available. `sink` receives a number that depends on all of them.
uint64_t lvae_arithmetic_peak_run(lvae_isa isa, size_t rounds, float *sink);
