#define _GNU_SOURCE
#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// A worker that finds no work looks again this often before it sleeps: about 50 µs, so that the
// layers of a small network follow one another without a wake-up (25 to 45 µs each) between them.
enum { spins_before_sleep = 2000 };

// What the threads agree on in one word: which loop it is, how many may still join it, and how many are at
// work on it. Whoever comes too late for a loop isn't waited for.
enum { generation_shift = 32, places_shift = 16, count_mask = 0xffff };
static const uint64_t one_place = (uint64_t)1 << places_shift;

typedef struct {
  lvae_thread_pool *pool;
  pthread_t thread;
} worker_state;

struct lvae_thread_pool {
  size_t threads;
  worker_state *workers;       // threads - 1 of them
  pthread_mutex_t in_use;      // held by the thread whose loop runs
  pthread_mutex_t sleep_lock;  // guards the sleep on `wake`
  pthread_cond_t wake;
  atomic_uint_fast64_t state;
  atomic_size_t sleepers;
  atomic_size_t lanes;
  atomic_bool ends;
  // The loop that runs.
  lvae_loop_body body;
  void *context;
  size_t count;
  atomic_size_t next;
};

static uint64_t generation_of(uint64_t state) { return state >> generation_shift; }
static size_t places_in(uint64_t state) { return state >> places_shift & count_mask; }
static size_t workers_in(uint64_t state) { return state & count_mask; }

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void take_iterations(lvae_thread_pool *pool, size_t worker) {
  for (;;) {
    size_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (index >= pool->count) return;
    pool->body(pool->context, index, worker);
  }
}

/// Whether a loop that this thread hasn't joined yet has a place, or the pool ends.
static bool is_wanted(lvae_thread_pool *pool, uint64_t seen) {
  uint64_t state = atomic_load(&pool->state);
  return (places_in(state) && generation_of(state) != seen) || atomic_load(&pool->ends);
}

/// Waits until it is wanted.
static void wait_for_loop(lvae_thread_pool *pool, uint64_t seen) {
  for (int spin = 0; spin < spins_before_sleep; spin++) {
    if (is_wanted(pool, seen)) return;
    relax();
  }
  pthread_mutex_lock(&pool->sleep_lock);
  atomic_fetch_add(&pool->sleepers, 1);  // before it looks again, so that it isn't overlooked
  while (!is_wanted(pool, seen)) pthread_cond_wait(&pool->wake, &pool->sleep_lock);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->sleep_lock);
}

static void *worker_main(void *argument) {
  lvae_thread_pool *pool = ((worker_state *)argument)->pool;
  uint64_t seen = 0;
  for (;;) {
    wait_for_loop(pool, seen);
    if (atomic_load(&pool->ends)) return NULL;
    uint64_t state = atomic_load(&pool->state);
    if (!places_in(state) || generation_of(state) == seen) continue;
    if (!atomic_compare_exchange_weak(&pool->state, &state, state - one_place + 1)) continue;
    seen = generation_of(state);
    take_iterations(pool, places_in(state));
    atomic_fetch_sub_explicit(&pool->state, 1, memory_order_release);
  }
}

static void wake_sleepers(lvae_thread_pool *pool, size_t wanted) {
  if (!atomic_load(&pool->sleepers)) return;
  pthread_mutex_lock(&pool->sleep_lock);
  if (wanted + 1 == pool->threads) pthread_cond_broadcast(&pool->wake);
  else
    for (size_t i = 0; i < wanted; i++) pthread_cond_signal(&pool->wake);
  pthread_mutex_unlock(&pool->sleep_lock);
}

lvae_thread_pool *lvae_thread_pool_create(size_t threads) {
  lvae_thread_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->workers = calloc(threads, sizeof *pool->workers);
  if (!pool->workers) {
    free(pool);
    return NULL;
  }
  pthread_mutex_init(&pool->in_use, NULL);
  pthread_mutex_init(&pool->sleep_lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->threads = 1;
  for (size_t i = 0; i + 1 < threads; i++) {
    worker_state *state = &pool->workers[i];
    state->pool = pool;
    if (pthread_create(&state->thread, NULL, worker_main, state)) {
      lvae_thread_pool_destroy(pool);
      return NULL;
    }
    pool->threads++;
  }
  return pool;
}

void lvae_thread_pool_destroy(lvae_thread_pool *pool) {
  atomic_store(&pool->ends, true);
  wake_sleepers(pool, pool->threads - 1);
  for (size_t i = 0; i + 1 < pool->threads; i++) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->sleep_lock);
  pthread_mutex_destroy(&pool->in_use);
  free(pool->workers);
  free(pool);
}

size_t lvae_available_processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set)) return 1;
  return (size_t)CPU_COUNT(&set);
}

size_t lvae_thread_pool_thread_count(const lvae_thread_pool *pool) { return pool->threads; }

void lvae_thread_pool_enter_lane(lvae_thread_pool *pool) { atomic_fetch_add(&pool->lanes, 1); }

void lvae_thread_pool_leave_lane(lvae_thread_pool *pool) { atomic_fetch_sub(&pool->lanes, 1); }

size_t lvae_thread_pool_free_thread_count(const lvae_thread_pool *pool) {
  size_t others = atomic_load_explicit(&pool->lanes, memory_order_relaxed);
  if (others) others--;
  return others < pool->threads ? pool->threads - others : 1;
}

/// Lets no more threads join, and waits for those that did.
static void end_loop(lvae_thread_pool *pool) {
  uint64_t no_places = ~((uint64_t)count_mask << places_shift);
  atomic_fetch_and(&pool->state, no_places);
  for (int spin = 0; workers_in(atomic_load_explicit(&pool->state, memory_order_acquire)); spin++) {
    if (spin < spins_before_sleep) relax();
    else sched_yield();
  }
}

void lvae_thread_pool_run(
    lvae_thread_pool *pool, size_t count, size_t threads, lvae_loop_body body, void *context) {
  size_t helpers = lvae_thread_pool_free_thread_count(pool) - 1;
  if (helpers >= threads) helpers = threads - 1;
  if (helpers >= count) helpers = count - 1;
  if (count < 2 || !helpers || pthread_mutex_trylock(&pool->in_use)) {
    for (size_t i = 0; i < count; i++) body(context, i, 0);
    return;
  }
  pool->body = body;
  pool->context = context;
  pool->count = count;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  uint64_t generation = generation_of(atomic_load_explicit(&pool->state, memory_order_relaxed)) + 1;
  atomic_store(&pool->state, generation << generation_shift | helpers * one_place);
  wake_sleepers(pool, helpers);
  take_iterations(pool, 0);
  end_loop(pool);
  pthread_mutex_unlock(&pool->in_use);
}
