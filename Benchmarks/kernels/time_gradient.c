// Speed of the weight gradient of 3×3 convolutions in GFLOP/s of the direct formula, batch 16.
// Minimum over repeats of one thread's processor time, the final sum included.
//
//   .build/time_gradient
#include "harness.h"

static void measure(size_t channels, size_t side) {
  lvae_conv2d_shape s = square_shape(16, side, side, channels, channels, 3, 1, 1, 1);
  lvae_conv2d_weight_gradient_plan *plan =
      lvae_conv2d_weight_gradient_plan_create(&s, lvae_best_isa());
  float *x = allocate(input_count(&s)), *dy = allocate(output_count(&s));
  float *dw = allocate(weight_count(&s));
  float *partials = allocate(lvae_conv2d_weight_gradient_partial_count(plan));
  float *scratch = allocate(lvae_conv2d_weight_gradient_scratch_bytes(plan) / sizeof(float));
  fill_normal(x, input_count(&s), 1);
  fill_normal(dy, output_count(&s), 1);
  double best = INFINITY, sum = INFINITY;
  for (int repeat = 0; repeat < 12; repeat++) {
    double start = thread_seconds();
    for (size_t i = 0; i < lvae_conv2d_weight_gradient_task_count(plan); i++)
      lvae_conv2d_weight_gradient_run_task(plan, x, dy, partials, scratch, i);
    double middle = thread_seconds();
    for (size_t i = 0; i < lvae_conv2d_weight_gradient_sum_task_count(plan); i++)
      lvae_conv2d_weight_gradient_sum_task(plan, partials, dw, i);
    best = fmin(best, thread_seconds() - start);
    sum = fmin(sum, thread_seconds() - middle);
  }
  double flops = 18.0 * (double)channels * (double)output_count(&s);
  printf(
      "weight gradient %3zu@%-3zu b16 %8.2f ms %7.1f GF/s  tasks %zu  final sum %.2f ms\n",
      channels, side, best * 1e3, flops / best * 1e-9,
      lvae_conv2d_weight_gradient_task_count(plan), sum * 1e3);
  free(x), free(dy), free(dw), free(partials), free(scratch);
  lvae_conv2d_weight_gradient_plan_destroy(plan);
}

int main(void) {
  measure(64, 64);
  measure(128, 32);
  measure(128, 16);
  measure(256, 8);
  return 0;
}
