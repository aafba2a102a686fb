// What the checks and timings of the C kernels share: memory, random numbers, running a plan.
#pragma once
#define _GNU_SOURCE
#include <CKernels.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline float *allocate(size_t floats) {
  void *p = aligned_alloc(64, (floats * sizeof(float) / 64 + 2) * 64);
  if (!p) abort();
  return p;
}

/// Normally distributed numbers, the same at each start.
static inline void fill_normal(float *p, size_t count, double deviation) {
  static uint64_t state = 88172645463325252ull;
  for (size_t i = 0; i < count; i++) {
    double sum = -6;
    for (int k = 0; k < 12; k++) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      sum += (double)(state >> 11) * 0x1p-53;
    }
    p[i] = (float)(sum * deviation);
  }
}

static inline size_t input_count(const lvae_conv2d_shape *s) {
  return s->batch * s->height * s->width * s->in_channels;
}
static inline size_t output_count(const lvae_conv2d_shape *s) {
  return s->batch * s->out_height * s->out_width * s->out_channels;
}
static inline size_t weight_count(const lvae_conv2d_shape *s) {
  return s->kernel_height * s->kernel_width * s->in_channels * s->out_channels;
}

/// A square 3×3-like convolution: padding as given, output size from it.
static inline lvae_conv2d_shape square_shape(
    size_t batch, size_t height, size_t width, size_t in, size_t out, size_t kernel, size_t stride,
    size_t pad_before, size_t pad_after) {
  return (lvae_conv2d_shape){
      .batch = batch, .height = height, .width = width, .in_channels = in, .out_channels = out,
      .out_height = (height + pad_before + pad_after - kernel) / stride + 1,
      .out_width = (width + pad_before + pad_after - kernel) / stride + 1,
      .kernel_height = kernel, .kernel_width = kernel, .stride = stride,
      .pad_top = (ptrdiff_t)pad_before, .pad_left = (ptrdiff_t)pad_before};
}

/// The nearest ×2 + 3×3 convolution, or the transposed 4×4 one.
static inline lvae_conv2d_shape doubling_shape(
    size_t batch, size_t height, size_t width, size_t in, size_t out, bool transposed) {
  return (lvae_conv2d_shape){
      .batch = batch, .height = height, .width = width, .in_channels = in, .out_channels = out,
      .out_height = 2 * height, .out_width = 2 * width, .kernel_height = transposed ? 4 : 3,
      .kernel_width = transposed ? 4 : 3, .stride = transposed ? 2 : 1, .pad_top = 1,
      .pad_left = 1, .upsample = !transposed, .transposed = transposed};
}

static inline double thread_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
  const lvae_conv2d_plan *plan;
  const float *x, *packed;
  float *y;
  const lvae_conv2d_epilogue *epilogue;
  atomic_size_t next;
} plan_run;

typedef struct {
  plan_run *run;
  float *scratch;
  double seconds;
} plan_worker;

static inline void *run_worker(void *argument) {
  plan_worker *worker = argument;
  plan_run *run = worker->run;
  double start = thread_seconds();
  for (;;) {
    size_t task = atomic_fetch_add(&run->next, 1);
    if (task >= lvae_conv2d_task_count(run->plan)) break;
    lvae_conv2d_run_task(
        run->plan, run->x, run->packed, run->y, run->epilogue, worker->scratch, task);
  }
  worker->seconds = thread_seconds() - start;
  return NULL;
}

/// Runs all tasks on `threads` threads; returns the longest processor time of one.
static inline double run_plan(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, size_t threads, float **scratch) {
  plan_run run = {plan, x, packed, y, epilogue, 0};
  plan_worker workers[16] = {0};
  pthread_t handles[16];
  for (size_t i = 0; i < threads; i++) {
    workers[i] = (plan_worker){&run, scratch[i], 0};
    if (i) pthread_create(&handles[i], NULL, run_worker, &workers[i]);
  }
  run_worker(&workers[0]);
  double longest = workers[0].seconds;
  for (size_t i = 1; i < threads; i++) {
    pthread_join(handles[i], NULL);
    longest = fmax(longest, workers[i].seconds);
  }
  return longest;
}

static inline void pack_all(const lvae_conv2d_plan *plan, const float *weights, float *packed) {
  for (size_t task = 0; task < lvae_conv2d_pack_task_count(plan); task++)
    lvae_conv2d_pack_task(plan, weights, packed, task);
}
