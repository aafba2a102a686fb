#define _GNU_SOURCE
#include "arena.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct lvae_arena_block {
  char *base;
  size_t byte_count;
  size_t resident;  // of a free block: at most so many of its bytes take memory
  bool is_free;
  lvae_arena_block *before, *after;  // by address; together they cover the whole range
};

enum { alignment = 4096 };

// The range, the first of its blocks, and sums over them. Guarded by the lock.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static lvae_arena_block *first;
static bool is_reserved;
static size_t in_use, most_in_use, free_resident;

// By how much the memory that is kept may exceed the most that was ever in use at once.
static size_t slack = (size_t)16 << 20;

/// Reserves addresses, which cost nothing until they are written to: several times what can ever be
/// in use, since blocks lie apart.
static void reserve(void) {
  is_reserved = true;
  const size_t huge_page = (size_t)2 << 20;
  size_t byte_count =
      (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) * 4 / huge_page * huge_page;
  char *range = mmap(
      NULL, byte_count + huge_page, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) return;
  range = (char *)(((uintptr_t)range + huge_page - 1) / huge_page * huge_page);
  lvae_arena_block *block = calloc(1, sizeof *block);
  if (!block) return;
  madvise(range, byte_count, MADV_HUGEPAGE);
  block->base = range;
  block->byte_count = byte_count;
  block->is_free = true;
  first = block;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// Splits what `block` has beyond `byte_count` off, as a free block behind it.
static void cut(lvae_arena_block *block, size_t byte_count) {
  if (block->byte_count == byte_count) return;
  lvae_arena_block *rest = malloc(sizeof *rest);
  if (!rest) return;  // then the block is larger than it need be
  *rest = (lvae_arena_block){
      .base = block->base + byte_count,
      .byte_count = block->byte_count - byte_count,
      .is_free = true,
      .before = block,
      .after = block->after};
  // Which of the bytes take memory isn't known: each part is taken to have as many as it can.
  free_resident -= block->resident;
  rest->resident = smaller(block->resident, rest->byte_count);
  block->resident = smaller(block->resident, byte_count);
  free_resident += block->resident + rest->resident;
  if (rest->after) rest->after->before = rest;
  block->after = rest;
  block->byte_count = byte_count;
}

/// Joins `block` and the one behind it.
static void join(lvae_arena_block *block) {
  lvae_arena_block *next = block->after;
  block->byte_count += next->byte_count;
  block->resident += next->resident;
  block->after = next->after;
  if (block->after) block->after->before = block;
  free(next);
}

/// Gives the pages of free blocks back to the system while more is kept than is allowed: where blocks
/// don't fit into the holes between others, the holes would come on top of what is in use.
static void release_holes(void) {
  for (lvae_arena_block *block = first; block; block = block->after) {
    if (in_use + free_resident <= most_in_use + slack) return;
    if (!block->is_free || !block->resident) continue;
    madvise(block->base, block->byte_count, MADV_DONTNEED);
    free_resident -= block->resident;
    block->resident = 0;
  }
}

static size_t round_up(size_t byte_count) {
  return (byte_count + alignment - 1) / alignment * alignment;
}

lvae_arena_block *lvae_arena_take(size_t byte_count) {
  byte_count = round_up(byte_count);
  pthread_mutex_lock(&lock);
  if (!is_reserved) reserve();
  lvae_arena_block *block = first;
  while (block && !(block->is_free && block->byte_count >= byte_count)) block = block->after;
  if (block) {
    cut(block, byte_count);
    free_resident -= block->resident;
    block->resident = 0;
    block->is_free = false;
    in_use += block->byte_count;
    if (in_use > most_in_use) most_in_use = in_use;
    release_holes();
  }
  pthread_mutex_unlock(&lock);
  return block;
}

void *lvae_arena_base(const lvae_arena_block *block) { return block->base; }

void lvae_arena_shrink(lvae_arena_block *block, size_t byte_count) {
  pthread_mutex_lock(&lock);
  const size_t before = block->byte_count;
  cut(block, round_up(byte_count));
  if (block->byte_count < before) {
    lvae_arena_block *rest = block->after;
    rest->resident = rest->byte_count;
    in_use -= rest->byte_count;
    free_resident += rest->resident;
    if (rest->after && rest->after->is_free) join(rest);
  }
  pthread_mutex_unlock(&lock);
}

void lvae_arena_give_back(lvae_arena_block *block) {
  pthread_mutex_lock(&lock);
  block->is_free = true;
  block->resident = block->byte_count;
  in_use -= block->byte_count;
  free_resident += block->resident;
  if (block->after && block->after->is_free) join(block);
  if (block->before && block->before->is_free) join(block->before);
  pthread_mutex_unlock(&lock);
}

void lvae_arena_trim(void) {
  pthread_mutex_lock(&lock);
  slack = (size_t)4 << 20;
  most_in_use = in_use;
  for (lvae_arena_block *block = first; block; block = block->after) {
    if (!block->is_free || !block->resident) continue;
    madvise(block->base, block->byte_count, MADV_DONTNEED);
    free_resident -= block->resident;
    block->resident = 0;
  }
  pthread_mutex_unlock(&lock);
}
