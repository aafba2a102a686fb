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
  bool is_free;
  lvae_arena_block *before, *after;  // by address; together they cover the whole range
};

enum { alignment = 4096 };

// The range, and the first of its blocks. Guarded by the lock.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static lvae_arena_block *first;
static bool is_reserved;

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
  if (rest->after) rest->after->before = rest;
  block->after = rest;
  block->byte_count = byte_count;
}

/// Joins `block` and the one behind it.
static void join(lvae_arena_block *block) {
  lvae_arena_block *next = block->after;
  block->byte_count += next->byte_count;
  block->after = next->after;
  if (block->after) block->after->before = block;
  free(next);
}

lvae_arena_block *lvae_arena_take(size_t byte_count) {
  byte_count = (byte_count + alignment - 1) / alignment * alignment;
  pthread_mutex_lock(&lock);
  if (!is_reserved) reserve();
  lvae_arena_block *block = first;
  while (block && !(block->is_free && block->byte_count >= byte_count)) block = block->after;
  if (block) {
    cut(block, byte_count);
    block->is_free = false;
  }
  pthread_mutex_unlock(&lock);
  return block;
}

void *lvae_arena_base(const lvae_arena_block *block) { return block->base; }

void lvae_arena_give_back(lvae_arena_block *block) {
  pthread_mutex_lock(&lock);
  block->is_free = true;
  if (block->after && block->after->is_free) join(block);
  if (block->before && block->before->is_free) join(block->before);
  pthread_mutex_unlock(&lock);
}
