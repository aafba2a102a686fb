#define _GNU_SOURCE
#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

// A worker that finds no work looks again this often before it sleeps: about 50 µs, so that the
// layers of a small network follow one another without a wake-up (25 to 45 µs each) between them.
enum { spins_before_sleep = 2000 };

typedef struct {
  lvae_thread_pool *pool;
  pthread_t thread;
  size_t worker;
} worker_state;

struct lvae_thread_pool {
  size_t threads;
  worker_state *workers;       // threads - 1 of them
  pthread_mutex_t in_use;      // held by the thread whose loop runs
  pthread_mutex_t sleep_lock;  // guards the sleep on `wake`
  pthread_cond_t wake;
  atomic_uint generation;  // grows by one for each loop
  atomic_bool ends;
  // The loop that runs.
  lvae_loop_body body;
  void *context;
  size_t count;
  atomic_size_t next;
  atomic_size_t busy;  // workers that have not yet left this generation
};

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

static void *worker_main(void *argument) {
  worker_state *state = argument;
  lvae_thread_pool *pool = state->pool;
  unsigned seen = 0;
  for (;;) {
    for (int spin = 0; atomic_load_explicit(&pool->generation, memory_order_acquire) == seen;) {
      if (++spin < spins_before_sleep) {
        relax();
        continue;
      }
      pthread_mutex_lock(&pool->sleep_lock);
      while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen)
        pthread_cond_wait(&pool->wake, &pool->sleep_lock);
      pthread_mutex_unlock(&pool->sleep_lock);
    }
    seen++;
    if (atomic_load_explicit(&pool->ends, memory_order_acquire)) return NULL;
    take_iterations(pool, state->worker);
    atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_release);
  }
}

static void begin_generation(lvae_thread_pool *pool) {
  pthread_mutex_lock(&pool->sleep_lock);
  atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
  pthread_cond_broadcast(&pool->wake);
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
    state->worker = i + 1;
    if (pthread_create(&state->thread, NULL, worker_main, state)) {
      lvae_thread_pool_destroy(pool);
      return NULL;
    }
    pool->threads++;
  }
  return pool;
}

void lvae_thread_pool_destroy(lvae_thread_pool *pool) {
  atomic_store_explicit(&pool->ends, true, memory_order_release);
  begin_generation(pool);
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

void lvae_thread_pool_run(
    lvae_thread_pool *pool, size_t count, lvae_loop_body body, void *context) {
  if (pool->threads == 1 || count < 2 || pthread_mutex_trylock(&pool->in_use)) {
    for (size_t i = 0; i < count; i++) body(context, i, 0);
    return;
  }
  pool->body = body;
  pool->context = context;
  pool->count = count;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->busy, pool->threads - 1, memory_order_relaxed);
  begin_generation(pool);
  take_iterations(pool, 0);
  for (int spin = 0; atomic_load_explicit(&pool->busy, memory_order_acquire); spin++) {
    if (spin < spins_before_sleep) relax();
    else sched_yield();
  }
  pthread_mutex_unlock(&pool->in_use);
}
