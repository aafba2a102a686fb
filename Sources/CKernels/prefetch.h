// Memory that will be needed soon, fetched while the processor multiplies. The transforms read and
// write many short pieces, which the processor's own prefetching doesn't foresee.
#pragma once
#include "vectors.h"

enum {
  line_floats = 16,
  most_pieces = 64,  // what doesn't fit is fetched when it is used
};

typedef struct {
  size_t count, current;
  size_t lines;  // in all pieces
  struct {
    const float *next, *end;
  } pieces[most_pieces];
} prefetch_list;

INLINE void prefetch_later(prefetch_list *list, const float *start, size_t floats) {
  if (list->count == most_pieces) return;
  list->pieces[list->count].next = start;
  list->pieces[list->count++].end = start + floats;
  list->lines += floats / line_floats + 1;
}

/// The next lines to fetch, at most `lines` in a row; the caller fetches them. NULL if none are left.
INLINE const float *take_lines(prefetch_list *list, size_t lines) {
  if (list->current == list->count) return NULL;
  const float *next = list->pieces[list->current].next;
  list->pieces[list->current].next += lines * line_floats;
  if (list->pieces[list->current].next >= list->pieces[list->current].end) list->current++;
  return next;
}

INLINE void prefetch_some(prefetch_list *list, size_t lines) {
  for (; lines && list->current < list->count; lines--) {
    __builtin_prefetch(list->pieces[list->current].next, 0, 2);
    list->pieces[list->current].next += line_floats;
    if (list->pieces[list->current].next >= list->pieces[list->current].end) list->current++;
  }
}
