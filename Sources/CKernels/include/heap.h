// The memory of malloc.
#pragma once

/// Gives the heap's free memory back to the system, where the C library can.
void lvae_heap_trim(void);
