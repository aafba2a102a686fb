// Speed of the convolution kernels in GFLOP/s of the direct formula, so that Winograd's may exceed
// the processor's peak. Minimum over repeats of the longest thread's processor time.
//
//   .build/time_convolution [threads] [name contains] [repeats]     (LVAE_ISA chooses the kernels)
#include "harness.h"

static size_t threads = 1;
static const char *filter = "";
static int repeats = 7;

static void measure(const char *name, lvae_conv2d_shape s, lvae_conv2d_accuracy accuracy) {
  char label[80];
  snprintf(label, sizeof label, "%s%s", name, accuracy == lvae_conv2d_accuracy_fast ? " fast" : "");
  if (!strstr(label, filter)) return;
  lvae_conv2d_plan *plan = lvae_conv2d_plan_create(&s, lvae_best_isa(), accuracy);
  float *x = allocate(input_count(&s)), *y = allocate(output_count(&s));
  float *w = allocate(weight_count(&s)), *bias = allocate(s.out_channels);
  float *packed = allocate(lvae_conv2d_packed_count(plan)), *scratch[16];
  size_t sample = input_count(&s) < 1 << 20 ? input_count(&s) : 1 << 20;
  fill_normal(x, sample, 1);
  for (size_t i = sample; i < input_count(&s); i++) x[i] = x[i - sample];
  fill_normal(w, weight_count(&s), 0.02);
  fill_normal(bias, s.out_channels, 1);
  for (size_t i = 0; i < threads; i++)
    scratch[i] = allocate(lvae_conv2d_scratch_bytes(plan) / sizeof(float));
  lvae_conv2d_epilogue epilogue = {.bias = bias};
  double pack = INFINITY, best = INFINITY;
  for (int i = 0; i < repeats; i++) {
    double start = thread_seconds();
    if (i < 3) {
      pack_all(plan, w, packed);
      pack = fmin(pack, thread_seconds() - start);
    }
    best = fmin(best, run_plan(plan, x, packed, y, &epilogue, threads, scratch));
  }
  double taps = s.transposed ? 4 : (double)(s.kernel_height * s.kernel_width);
  double flops = 2 * taps * (double)s.in_channels * (double)output_count(&s);
  printf(
      "%-26s %-13s %zuT %8.2f ms %7.1f GF/s  tasks %zu  pack 1T %.2f ms\n", label,
      lvae_conv2d_algorithm_name(plan), threads, best * 1e3, flops / best * 1e-9,
      lvae_conv2d_task_count(plan), pack * 1e3);
  for (size_t i = 0; i < threads; i++) free(scratch[i]);
  free(x), free(y), free(w), free(bias), free(packed);
  lvae_conv2d_plan_destroy(plan);
}

int main(int count, char **arguments) {
  if (count > 1) threads = (size_t)atoi(arguments[1]);
  if (count > 2) filter = arguments[2];
  if (count > 3) repeats = atoi(arguments[3]);
  const lvae_conv2d_accuracy standard = lvae_conv2d_accuracy_standard;
  static const size_t same[][2] = {{64, 64},   {64, 128},  {64, 256},  {64, 512}, {128, 512},
                                   {256, 256}, {512, 64}, {512, 128}, {256, 16}, {512, 8}};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
    for (int is_fast = 0; is_fast < 2; is_fast++) {
      char name[40];
      snprintf(name, sizeof name, "3x3 %zu@%zu", same[i][0], same[i][1]);
      measure(
          name, square_shape(1, same[i][1], same[i][1], same[i][0], same[i][0], 3, 1, 1, 1),
          is_fast ? lvae_conv2d_accuracy_fast : standard);
    }
  measure("up 512 64->128", doubling_shape(1, 64, 64, 512, 512, false), standard);
  measure("up 256 256->512", doubling_shape(1, 256, 256, 256, 256, false), standard);
  measure("up 64 64->128", doubling_shape(1, 64, 64, 64, 64, false), standard);
  measure("up 64 256->512", doubling_shape(1, 256, 256, 64, 64, false), standard);
  measure("T4x4 128 64->128", doubling_shape(1, 64, 64, 128, 128, true), standard);
  measure("s2 128@512", square_shape(1, 512, 512, 128, 128, 3, 2, 0, 1), standard);
  measure("s2 256@256", square_shape(1, 256, 256, 256, 256, 3, 2, 0, 1), standard);
  measure("s2 512@128", square_shape(1, 128, 128, 512, 512, 3, 2, 0, 1), standard);
  measure("s2 64@512", square_shape(1, 512, 512, 64, 64, 3, 2, 1, 1), standard);
  measure("1x1 512->256@256", square_shape(1, 256, 256, 512, 256, 1, 1, 0, 0), standard);
  measure("1x1 256->128@512", square_shape(1, 512, 512, 256, 128, 1, 1, 0, 0), standard);
  measure("1x1 512->512@64", square_shape(1, 64, 64, 512, 512, 1, 1, 0, 0), standard);
  measure("first 3->64@512", square_shape(1, 512, 512, 3, 64, 3, 1, 1, 1), standard);
  measure("first 3->128@512", square_shape(1, 512, 512, 3, 128, 3, 1, 1, 1), standard);
  measure("first 4->64@64", square_shape(1, 64, 64, 4, 64, 3, 1, 1, 1), standard);
  measure("first 4->512@64", square_shape(1, 64, 64, 4, 512, 3, 1, 1, 1), standard);
  measure("last 64->3@512", square_shape(1, 512, 512, 64, 3, 3, 1, 1, 1), standard);
  measure("last 128->3@512", square_shape(1, 512, 512, 128, 3, 3, 1, 1, 1), standard);
  measure("last 64->4@64", square_shape(1, 64, 64, 64, 4, 3, 1, 1, 1), standard);
  measure("last 512->8@64", square_shape(1, 64, 64, 512, 8, 3, 1, 1, 1), standard);
  return 0;
}
