// Speed of the kernels that stream through memory, on one thread, at the size of SD's last
// resolution: 128 channels at 512². Minimum over repeats of processor time.
//
//   .build/time_rows
#include "harness.h"

static void report(const char *name, double seconds, double bytes) {
  printf("%-26s %8.2f ms %6.1f GB/s\n", name, seconds * 1e3, bytes / seconds * 1e-9);
}

int main(void) {
  enum { pixels = 512 * 512, channels = 128, groups = 32, repeats = 7 };
  const double bytes = 4.0 * pixels * channels;
  lvae_isa isa = lvae_best_isa();
  float *x = allocate((size_t)pixels * channels), *y = allocate((size_t)pixels * channels);
  float scale[channels], shift[channels];
  static double sums[2 * groups];
  fill_normal(x, 1 << 20, 1);
  for (size_t i = 1 << 20; i < (size_t)pixels * channels; i++) x[i] = x[i - (1 << 20)];
  memset(y, 0, (size_t)bytes);
  for (size_t c = 0; c < channels; c++) scale[c] = 1, shift[c] = 0;
  double statistics = INFINITY, apply = INFINITY, in_place = INFINITY, softmax = INFINITY;
  for (int i = 0; i < repeats; i++) {
    double start = thread_seconds();
    for (size_t p = 0; p < pixels; p += lvae_group_norm_block_pixels)
      lvae_group_norm_partial_sums(
          isa, x + p * channels, NULL, lvae_group_norm_block_pixels, channels, groups, sums);
    double after = thread_seconds();
    statistics = fmin(statistics, after - start);
    lvae_scale_shift_activation(isa, x, scale, shift, y, pixels, channels, lvae_activation_silu);
    start = thread_seconds();
    apply = fmin(apply, start - after);
    lvae_scale_shift_activation(isa, y, scale, shift, y, pixels, channels, lvae_activation_silu);
    after = thread_seconds();
    in_place = fmin(in_place, after - start);
    // 64 queries × 512 keys, in cache.
    float most[64], sum[64], correction[64];
    for (size_t r = 0; r < 64; r++) most[r] = -INFINITY, sum[r] = 0;
    start = thread_seconds();
    for (int k = 0; k < 100; k++)
      lvae_softmax_block(isa, x, 64, 512, 512, 0.1f, most, sum, correction);
    softmax = fmin(softmax, thread_seconds() - start);
  }
  report("group norm statistics", statistics, bytes);
  report("scale, shift, SiLU", apply, 2 * bytes);
  report("the same in place", in_place, 2 * bytes);
  printf("softmax block              %8.2f G elements/s\n", 100 * 64 * 512 / softmax * 1e-9);
  return 0;
}
