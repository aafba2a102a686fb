// The instruction sets that kernels are built for.
#pragma once
#include <stdbool.h>

/// In rising order: a processor with one has those before it.
typedef enum lvae_isa {
  lvae_isa_portable,  // 16-byte vectors, any processor
  lvae_isa_avx2,      // with FMA
  lvae_isa_avx512,    // F, BW, DQ and VL
} lvae_isa;

/// Whether this build and this processor have it.
bool lvae_isa_is_available(lvae_isa isa);

/// The fastest one available, or the one that the environment variable `LVAE_ISA` names
/// (portable, avx2 or avx512) if it is available.
lvae_isa lvae_best_isa(void);
