// Compares group normalisation, activations and online softmax of every instruction set with
// double precision.
//
//   .build/check_rows
#include "harness.h"

static int failures = 0, checks = 0;

static void expect(bool holds, const char *what, size_t a, size_t b, double error) {
  checks++;
  if (holds) return;
  failures++;
  printf("FAILED %s, %zu, %zu: %.2e\n", what, a, b, error);
}

static void check_group_norm(
    lvae_isa isa, size_t pixels, size_t channels, size_t groups, float mean) {
  size_t count = pixels * channels, blocks = (pixels - 1) / lvae_group_norm_block_pixels + 1;
  float *x = allocate(count), *y = allocate(count), *gamma = allocate(channels),
        *beta = allocate(channels), *scale = allocate(channels), *shift = allocate(channels);
  double *sums = calloc(blocks * groups * 2, sizeof *sums);
  fill_normal(x, count, 1), fill_normal(gamma, channels, 1), fill_normal(beta, channels, 1);
  for (size_t i = 0; i < count; i++) x[i] += mean;
  for (size_t b = 0; b < blocks; b++) {
    size_t first = b * lvae_group_norm_block_pixels;
    size_t n = pixels - first < lvae_group_norm_block_pixels ? pixels - first
                                                             : lvae_group_norm_block_pixels;
    lvae_group_norm_partial_sums(
        isa, x + first * channels, NULL, n, channels, groups, sums + b * groups * 2);
  }
  lvae_group_norm_scale_shift(
      sums, blocks, pixels, channels, groups, 1e-6, gamma, beta, scale, shift, NULL, NULL);
  lvae_scale_shift_activation(isa, x, scale, shift, y, pixels, channels, lvae_activation_none);
  size_t each = channels / groups;
  double worst = 0;
  for (size_t g = 0; g < groups; g++) {
    double sum = 0, squares = 0, n = (double)(pixels * each);
    for (size_t p = 0; p < pixels; p++)
      for (size_t c = g * each; c < (g + 1) * each; c++) sum += x[p * channels + c];
    for (size_t p = 0; p < pixels; p++)
      for (size_t c = g * each; c < (g + 1) * each; c++)
        squares += pow(x[p * channels + c] - sum / n, 2);
    for (size_t p = 0; p < pixels; p++)
      for (size_t c = g * each; c < (g + 1) * each; c++) {
        double expected =
            (x[p * channels + c] - sum / n) / sqrt(squares / n + 1e-6) * gamma[c] + beta[c];
        worst = fmax(worst, fabs(expected - y[p * channels + c]));
      }
  }
  // x · scale + shift cancels the mean, whose rounding grows with it.
  expect(worst < 2e-5 + 1e-6 * mean, "group norm", pixels, channels, worst);
  free(x), free(y), free(gamma), free(beta), free(scale), free(shift), free(sums);
}

static void check_activations(lvae_isa isa, size_t count) {
  float *x = allocate(count), *y = allocate(count + 1);
  double worst = 0;
  for (size_t i = 0; i < count; i++)
    x[i] = count > 1000 ? -90 + 180 * (float)i / (float)count : (float)i - 20;
  y[count] = 7;
  lvae_scale_shift_activation(isa, x, NULL, NULL, y, 1, count, lvae_activation_silu);
  for (size_t i = 0; i < count; i++) {
    double expected = x[i] / (1 + exp(-(double)x[i]));
    if (fabs(expected) > 1e-36) worst = fmax(worst, fabs(y[i] / expected - 1));
    else worst = fmax(worst, fabs(y[i]));
  }
  expect(worst < 4e-7 && y[count] == 7, "silu", count, 0, worst);
  lvae_scale_shift_activation(isa, x, NULL, NULL, y, 1, count, lvae_activation_relu);
  for (size_t i = 0; i < count; i++)
    expect(y[i] == (x[i] > 0 ? x[i] : 0), "relu", count, i, y[i]);
  free(x), free(y);
}

static void check_softmax(lvae_isa isa, size_t rows, size_t columns, size_t block) {
  float *x = allocate(rows * columns), *scores = allocate(rows * block);
  float *most = allocate(rows), *sum = allocate(rows), *correction = allocate(rows);
  double *weighted = calloc(rows, sizeof *weighted), worst = 0;
  fill_normal(x, rows * columns, 20);
  for (size_t r = 0; r < rows; r++) most[r] = -INFINITY, sum[r] = 0;
  for (size_t first = 0; first < columns; first += block) {
    size_t n = columns - first < block ? columns - first : block;
    for (size_t r = 0; r < rows; r++)
      memcpy(scores + r * block, x + r * columns + first, n * sizeof *x);
    lvae_softmax_block(isa, scores, rows, n, block, 0.3f, most, sum, correction);
    for (size_t r = 0; r < rows; r++) {
      weighted[r] *= correction[r];
      for (size_t c = 0; c < n; c++) weighted[r] += scores[r * block + c] * (double)(first + c);
    }
  }
  for (size_t r = 0; r < rows; r++) {
    double largest = -INFINITY, total = 0, expected = 0;
    for (size_t c = 0; c < columns; c++) largest = fmax(largest, 0.3f * x[r * columns + c]);
    for (size_t c = 0; c < columns; c++) {
      double e = exp((double)0.3f * x[r * columns + c] - largest);
      total += e, expected += e * (double)c;
    }
    worst = fmax(worst, fabs(weighted[r] / sum[r] - expected / total) / (double)columns);
  }
  expect(worst < 2e-6, "softmax", columns, block, worst);
  free(x), free(scores), free(most), free(sum), free(correction), free(weighted);
}

/// `width` is that of narrow heads, or any other.
static void check_attention(lvae_isa isa, size_t queries, size_t keys, size_t width) {
  bool is_narrow = width == lvae_narrow_head_channels;
  size_t stride = width + 3;
  const float scale = 0.85f / sqrtf((float)width);
  size_t scratch_count = is_narrow ? lvae_narrow_head_scratch : lvae_wide_head_scratch(isa, width);
  size_t most = queries > keys ? queries : keys;
  float *q = allocate(most * stride), *k = allocate(most * stride), *v = allocate(most * stride),
        *y = allocate(most * stride), *scratch = allocate(scratch_count);
  double deviation = width > 100 ? 1 : 3;
  fill_normal(q, most * stride, deviation), fill_normal(k, most * stride, deviation);
  fill_normal(v, most * stride, 1);
  for (size_t i = 0; i < most * stride; i++) y[i] = 7;
  if (is_narrow) lvae_narrow_head_attention(isa, q, queries, k, v, keys, stride, scale, y, scratch);
  else lvae_wide_head_attention(isa, q, queries, k, v, keys, width, stride, scale, y, scratch);
  double worst = 0, *weights = calloc(keys, sizeof *weights);
  for (size_t i = 0; i < queries; i++) {
    double largest = -INFINITY, total = 0;
    for (size_t key = 0; key < keys; key++) {
      weights[key] = 0;
      for (size_t c = 0; c < width; c++)
        weights[key] += scale * (double)q[i * stride + c] * k[key * stride + c];
      largest = fmax(largest, weights[key]);
    }
    for (size_t key = 0; key < keys; key++) total += weights[key] = exp(weights[key] - largest);
    for (size_t c = 0; c < width; c++) {
      double sum = 0;
      for (size_t key = 0; key < keys; key++) sum += weights[key] * v[key * stride + c];
      worst = fmax(worst, fabs(sum / total - y[i * stride + c]));
    }
    for (size_t c = width; c < stride; c++) worst = fmax(worst, fabsf(y[i * stride + c] - 7));
  }
  expect(worst < 1e-5, is_narrow ? "narrow attention" : "attention", queries, keys, worst);
  free(q), free(k), free(v), free(y), free(scratch), free(weights);
}

int main(void) {
  static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 1030};
  for (lvae_isa isa = lvae_isa_portable; isa <= lvae_isa_avx512; isa++) {
    if (!lvae_isa_is_available(isa)) continue;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
      for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
        if (sizes[i] > 1 || sizes[j] > 4) check_group_norm(isa, sizes[i], sizes[j], 1, 0);
        if (sizes[i] > 3) check_group_norm(isa, sizes[i], sizes[j] * 8, 4, 3);
        check_softmax(isa, 3, sizes[i], sizes[j]);
        if (sizes[i] <= lvae_narrow_head_queries)
          check_attention(isa, sizes[i], sizes[j], lvae_narrow_head_channels);
        if (sizes[i] <= lvae_wide_head_queries) check_attention(isa, sizes[i], sizes[j], sizes[j] % 67 + 9);
      }
    check_attention(isa, lvae_wide_head_queries, 300, 512);
    check_group_norm(isa, 5000, 64, 32, 1000);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) check_activations(isa, sizes[i]);
    check_activations(isa, 1000003);
  }
  printf("%d checks, %d failed\n", checks, failures);
  return failures != 0;
}
