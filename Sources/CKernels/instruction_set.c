#include "instruction_set.h"

#include <stdlib.h>
#include <string.h>

bool lvae_isa_is_available(lvae_isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (isa) {
    case lvae_isa_portable: return true;
    case lvae_isa_avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case lvae_isa_avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  }
  return false;
#else
  return isa == lvae_isa_portable;
#endif
}

/// What LVAE_ISA asks for: the highest if it is not set or names none.
static lvae_isa wanted_isa(void) {
  const char *name = getenv("LVAE_ISA");
  if (name && !strcmp(name, "portable")) return lvae_isa_portable;
  if (name && !strcmp(name, "avx2")) return lvae_isa_avx2;
  return lvae_isa_avx512;
}

lvae_isa lvae_best_isa(void) {
  lvae_isa isa = wanted_isa();
  while (!lvae_isa_is_available(isa)) isa--;
  return isa;
}
