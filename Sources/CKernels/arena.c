#define _GNU_SOURCE
#include "arena.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif

struct lvae_arena_block {
  char *base;
  size_t byte_count;
  bool is_free;
  lvae_arena_block *before, *after;  // by address; together they cover the whole range
};

enum {
  alignment = 4096,
  // What the system gives and takes at once: a huge page. Of each it is known whether it takes memory.
  unit_bytes = 2 << 20,
};

// The range, the first of its blocks, and sums over them. Guarded by the lock.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static lvae_arena_block *first;
static bool is_reserved;
static char *range;
static bool *is_resident;    // for each unit of the range
static uint32_t *users;      // of each unit: the blocks in use that have some of it
static size_t resident_end;  // beyond all units that ever were
static size_t resident, in_use, most_in_use;  // in units

// In units: by how much the memory that is kept may exceed the most that was ever in use at once.
static const size_t slack = 2;
// What is always kept: a small network's blocks fill few units as a whole, and zeroing these anew in
// every layer would take a twentieth of its time.
static const size_t least_kept = 16;
static bool can_move = true;

/// Reserves addresses, which cost nothing until they are written to: several times what can ever be
/// in use, since blocks lie apart.
static void reserve(void) {
  is_reserved = true;
  size_t units =
      (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) * 4 / unit_bytes;
  char *addresses = mmap(
      NULL, (units + 1) * unit_bytes, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (addresses == MAP_FAILED) return;
  range = (char *)(((uintptr_t)addresses + unit_bytes - 1) / unit_bytes * unit_bytes);
  is_resident = calloc(units, sizeof *is_resident);
  users = calloc(units, sizeof *users);
  lvae_arena_block *block = calloc(1, sizeof *block);
  if (!block || !is_resident || !users) return;
  madvise(range, units * unit_bytes, MADV_HUGEPAGE);
  block->base = range;
  block->byte_count = units * unit_bytes;
  block->is_free = true;
  first = block;
}

/// The units that have a byte of the memory from `base` on.
typedef struct {
  size_t first, end;
} unit_span;

static unit_span units_under(const char *base, size_t byte_count) {
  size_t offset = (size_t)(base - range);
  return (unit_span){offset / unit_bytes, (offset + byte_count + unit_bytes - 1) / unit_bytes};
}

/// Counts the units of memory that comes into use.
static void begin_use(const char *base, size_t byte_count) {
  unit_span units = units_under(base, byte_count);
  for (size_t unit = units.first; unit < units.end; unit++)
    if (!users[unit]++) in_use++;
  if (in_use > most_in_use) most_in_use = in_use;
}

static void end_use(const char *base, size_t byte_count) {
  unit_span units = units_under(base, byte_count);
  for (size_t unit = units.first; unit < units.end; unit++)
    if (!--users[unit]) in_use--;
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

/// The units that lie in a free block as a whole, as far as any may be resident: behind these the
/// last block goes on for tens of thousands.
static unit_span units_inside(const lvae_arena_block *block) {
  size_t offset = (size_t)(block->base - range);
  size_t end = (offset + block->byte_count) / unit_bytes;
  return (unit_span){
      (offset + unit_bytes - 1) / unit_bytes, end < resident_end ? end : resident_end};
}

static char *unit_base(size_t unit) { return range + unit * unit_bytes; }

/// Gives memory that isn't in use back to the system while more than `kept` units are resident.
static void release_holes(size_t kept) {
  for (lvae_arena_block *block = first; block && resident > kept; block = block->after) {
    if (!block->is_free) continue;
    unit_span units = units_inside(block);
    for (size_t unit = units.first; unit < units.end && resident > kept; unit++) {
      if (!is_resident[unit]) continue;
      madvise(unit_base(unit), unit_bytes, MADV_DONTNEED);
      is_resident[unit] = false;
      resident--;
    }
  }
}

/// Moves the memory behind a unit that nobody uses to the addresses of another: far quicker than
/// memory fresh from the system, which is zeroed first. False where the system can't.
static bool move_unit(size_t from, size_t to) {
#ifdef MREMAP_DONTUNMAP
  int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
  void *moved = mremap(unit_base(from), unit_bytes, unit_bytes, flags, unit_base(to));
  if (moved == MAP_FAILED) return false;
  is_resident[from] = false;
  is_resident[to] = true;
  return true;
#else
  (void)from, (void)to;
  return false;
#endif
}

/// Makes the units of a block that is now in use resident: by memory of free blocks as far as there
/// is some, else by what the system provides when they are written to.
static void fill(const lvae_arena_block *taken) {
  unit_span wanted = units_under(taken->base, taken->byte_count);
  size_t to = wanted.first;
  while (to < wanted.end && is_resident[to]) to++;
  if (to == wanted.end) return;
  if (resident_end < wanted.end) resident_end = wanted.end;
  for (lvae_arena_block *block = first; block && can_move; block = block->after) {
    if (!block->is_free) continue;
    unit_span units = units_inside(block);
    for (size_t from = units.first; from < units.end && can_move; from++) {
      if (!is_resident[from]) continue;
      while (to < wanted.end && is_resident[to]) to++;
      if (to == wanted.end) return;
      can_move = move_unit(from, to);
    }
  }
  for (; to < wanted.end; to++) {
    if (is_resident[to]) continue;
    is_resident[to] = true;
    resident++;
  }
}

/// Tells AddressSanitizer, where the program is built with it, that only the first bytes of a block
/// are in use.
static void allow(const lvae_arena_block *block, size_t byte_count) {
#ifdef ASAN_POISON_MEMORY_REGION
  ASAN_UNPOISON_MEMORY_REGION(block->base, byte_count);
  ASAN_POISON_MEMORY_REGION(block->base + byte_count, block->byte_count - byte_count);
#else
  (void)block, (void)byte_count;
#endif
}

static size_t round_up(size_t byte_count) {
  return (byte_count + alignment - 1) / alignment * alignment;
}

lvae_arena_block *lvae_arena_take(size_t wanted) {
  const size_t byte_count = round_up(wanted);
  pthread_mutex_lock(&lock);
  if (!is_reserved) reserve();
  lvae_arena_block *block = first;
  while (block && !(block->is_free && block->byte_count >= byte_count)) block = block->after;
  if (block) {
    cut(block, byte_count);
    block->is_free = false;
    begin_use(block->base, block->byte_count);
    fill(block);
    size_t kept = most_in_use + slack;
    release_holes(kept > least_kept ? kept : least_kept);
    allow(block, wanted);
  }
  pthread_mutex_unlock(&lock);
  return block;
}

void *lvae_arena_base(const lvae_arena_block *block) { return block->base; }

void lvae_arena_shrink(lvae_arena_block *block, size_t byte_count) {
  pthread_mutex_lock(&lock);
  const size_t before = block->byte_count;
  allow(block, byte_count);
  cut(block, round_up(byte_count));
  if (block->byte_count < before) {
    lvae_arena_block *rest = block->after;
    end_use(rest->base, rest->byte_count);
    if (rest->after && rest->after->is_free) join(rest);
  }
  pthread_mutex_unlock(&lock);
}

void lvae_arena_give_back(lvae_arena_block *block) {
  pthread_mutex_lock(&lock);
  allow(block, 0);
  block->is_free = true;
  end_use(block->base, block->byte_count);
  if (block->after && block->after->is_free) join(block);
  if (block->before && block->before->is_free) join(block->before);
  pthread_mutex_unlock(&lock);
}

void lvae_arena_trim(void) {
  pthread_mutex_lock(&lock);
  most_in_use = in_use;
  release_holes(0);
  pthread_mutex_unlock(&lock);
}
