// Memory for large tensors, kept for the next one when it is given back.
//
// Layers need the same sizes over and over, and memory that is fresh from the system costs as much
// time as a small layer: it is zeroed page by page. So blocks are cut from one range of addresses,
// neighbours that are free are joined, and as much as was ever in use at once stays with the
// process. Where a block comes to lie on addresses without memory, that of free blocks is moved there.
// Huge pages are asked for.
#pragma once
#include <stddef.h>

/// A block, and what is needed to give it back.
typedef struct lvae_arena_block lvae_arena_block;

/// A block of at least `byte_count` bytes, not initialised, at the lowest address where it fits; NULL
/// if the range is full, or the system grants none. Safe to call from any thread.
lvae_arena_block *lvae_arena_take(size_t byte_count);

/// The block's memory, aligned to 4096 bytes.
void *lvae_arena_base(const lvae_arena_block *block);

/// Gives back what a block has beyond `byte_count` bytes. Safe to call from any thread.
void lvae_arena_shrink(lvae_arena_block *block, size_t byte_count);

/// Gives a block back; its memory may be someone else's at once. Safe to call from any thread.
void lvae_arena_give_back(lvae_arena_block *block);

/// Gives all memory that isn't in use back to the system, and keeps no more from now on than will be
/// in use at once: for who has to bound what the process takes. Safe to call from any thread.
void lvae_arena_trim(void);
