// A fixed team of threads that runs one loop at a time. Where several callers compute side by side, each
// in a lane of its own, they share the threads out: as many lanes as threads leave each its caller alone,
// which waits for nobody.
//
// Every thread of the program that this project starts for computing is started here.
#pragma once
#include <stddef.h>

typedef struct lvae_thread_pool lvae_thread_pool;

/// One iteration of a parallel loop. `worker` is below the pool's thread count and is never used by
/// two iterations at the same time, so it can index scratch memory.
typedef void (*lvae_loop_body)(void *context, size_t index, size_t worker);

/// How many processors this process may run on.
size_t lvae_available_processors(void);

/// Starts `threads - 1` threads (the caller of a loop is the last one). NULL if memory or threads
/// are refused.
lvae_thread_pool *lvae_thread_pool_create(size_t threads);

/// Ends the threads and frees the pool. No loop may be running.
void lvae_thread_pool_destroy(lvae_thread_pool *pool);

size_t lvae_thread_pool_thread_count(const lvae_thread_pool *pool);

/// Says that the calling thread computes from now on, beside others that say so, too.
void lvae_thread_pool_enter_lane(lvae_thread_pool *pool);

/// Says that it is done.
void lvae_thread_pool_leave_lane(lvae_thread_pool *pool);

/// How many threads a loop may have that begins now: those that no other lane has; at least the caller.
size_t lvae_thread_pool_free_thread_count(const lvae_thread_pool *pool);

/// Calls `body(context, i, worker)` for every `i < count`, in any order, on at most `threads` threads
/// (`worker` is below that), and returns when all are done. A loop inside a loop, or one started while
/// another thread's loop runs, is done by its caller alone, as worker 0 of a pool of its own: scratch
/// memory must belong to the loop, not to the pool.
void lvae_thread_pool_run(
    lvae_thread_pool *pool, size_t count, size_t threads, lvae_loop_body body, void *context);
