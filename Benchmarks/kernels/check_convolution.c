// Compares every convolution algorithm, on every instruction set that is available, with a direct
// convolution in double precision, at sizes around the vector widths and tiles.
//
//   .build/check_convolution
#include "harness.h"

/// y[pixel][Co] in double, by definition.
static void reference(
    const lvae_conv2d_shape *s, const float *x, const float *w, const lvae_conv2d_epilogue *e,
    double *y) {
  for (size_t n = 0; n < s->batch; n++)
    for (size_t oy = 0; oy < s->out_height; oy++)
      for (size_t ox = 0; ox < s->out_width; ox++) {
        double *out = y + ((n * s->out_height + oy) * s->out_width + ox) * s->out_channels;
        for (size_t co = 0; co < s->out_channels; co++) out[co] = e->bias ? e->bias[co] : 0;
        for (size_t ky = 0; ky < s->kernel_height; ky++)
          for (size_t kx = 0; kx < s->kernel_width; kx++) {
            // Position in the (doubled) input, or for the transposed one, twice the input's.
            ptrdiff_t iy, ix, height = (ptrdiff_t)s->height, width = (ptrdiff_t)s->width;
            if (s->transposed) {
              iy = (ptrdiff_t)(oy + 1) - (ptrdiff_t)ky;
              ix = (ptrdiff_t)(ox + 1) - (ptrdiff_t)kx;
              if (iy % 2 || ix % 2) continue;
            } else {
              iy = (ptrdiff_t)(oy * s->stride + ky) - s->pad_top;
              ix = (ptrdiff_t)(ox * s->stride + kx) - s->pad_left;
            }
            if (iy < 0 || ix < 0) continue;
            if (s->transposed || s->upsample) iy /= 2, ix /= 2;
            if (iy >= height || ix >= width) continue;
            size_t pixel = (n * s->height + (size_t)iy) * s->width + (size_t)ix;
            const float *in = x + pixel * s->in_channels;
            for (size_t ci = 0; ci < s->in_channels; ci++) {
              const float *row =
                  w + ((ky * s->kernel_width + kx) * s->in_channels + ci) * s->out_channels;
              for (size_t co = 0; co < s->out_channels; co++) out[co] += (double)in[ci] * row[co];
            }
          }
        for (size_t co = 0; co < s->out_channels; co++) {
          if (e->residual) out[co] += (double)e->residual[out - y + (ptrdiff_t)co];
          if (e->activation == lvae_activation_relu && out[co] < 0) out[co] = 0;
        }
      }
}

static int failures = 0, checks = 0;
static double worst[3] = {0};

/// The relative L2 error allowed to an algorithm.
static double tolerance(const char *algorithm) {
  if (!strcmp(algorithm, "winograd-6x6")) return 1e-5;
  // Four components make sums four times as long.
  if (!strcmp(algorithm, "strided-4x4")) return 3e-6;
  return 2e-6;
}

static void check(lvae_conv2d_shape s, lvae_conv2d_accuracy accuracy, int epilogue_kind) {
  size_t outputs = output_count(&s);
  float *x = allocate(input_count(&s)), *w = allocate(weight_count(&s));
  float *bias = allocate(s.out_channels), *residual = allocate(outputs);
  float *y = allocate(outputs + 16);
  double *expected = malloc(outputs * sizeof *expected);
  fill_normal(x, input_count(&s), 1);
  fill_normal(
      w, weight_count(&s), 1 / sqrt((double)(s.kernel_height * s.kernel_width * s.in_channels)));
  fill_normal(bias, s.out_channels, 1);
  fill_normal(residual, outputs, 1);
  lvae_conv2d_epilogue epilogue = {
      .bias = epilogue_kind & 1 ? bias : NULL,
      .residual = epilogue_kind & 2 ? residual : NULL,
      .activation =
          epilogue_kind & 4 ? lvae_activation_relu : lvae_activation_none};
  reference(&s, x, w, &epilogue, expected);
  for (lvae_isa isa = lvae_isa_portable; isa <= lvae_isa_avx512; isa++) {
    if (!lvae_isa_is_available(isa)) continue;
    lvae_conv2d_plan *plan = lvae_conv2d_plan_create(&s, isa, accuracy);
    if (!plan) abort();
    float *packed = allocate(lvae_conv2d_packed_count(plan));
    size_t scratch_floats = lvae_conv2d_scratch_bytes(plan) / sizeof(float);
    float *scratch = allocate(scratch_floats);
    // What a kernel forgets to write must show.
    for (size_t i = 0; i < scratch_floats; i++) scratch[i] = NAN;
    for (size_t i = 0; i < lvae_conv2d_packed_count(plan); i++) packed[i] = NAN;
    for (size_t i = 0; i < outputs + 16; i++) y[i] = 12345;
    // A residual may be y itself.
    bool in_place = epilogue_kind == 7;
    if (in_place) memcpy(y, residual, outputs * sizeof *y);
    epilogue.residual = in_place ? y : epilogue_kind & 2 ? residual : NULL;
    pack_all(plan, w, packed);
    run_plan(plan, x, packed, y, &epilogue, 1, &scratch);
    double error = 0, norm = 0;
    for (size_t i = 0; i < outputs; i++) {
      error += (y[i] - expected[i]) * (y[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    error = sqrt(error / fmax(norm, 1e-30));
    bool overrun = false;
    for (size_t i = outputs; i < outputs + 16; i++) overrun |= y[i] != 12345;
    const char *name = lvae_conv2d_algorithm_name(plan);
    checks++;
    worst[isa] = fmax(worst[isa], error / tolerance(name));
    if (!(error <= tolerance(name)) || overrun) {
      failures++;
      printf(
          "FAILED %s isa %d: %zux%zux%zux%zu -> %zux%zux%zu k%zu s%zu%s%s epilogue %d: "
          "error %.2e%s\n",
          name, isa, s.batch, s.height, s.width, s.in_channels, s.out_height, s.out_width,
          s.out_channels, s.kernel_height, s.stride, s.upsample ? " upsample" : "",
          s.transposed ? " transposed" : "", epilogue_kind, error, overrun ? ", overrun" : "");
    }
    free(packed);
    free(scratch);
    lvae_conv2d_plan_destroy(plan);
  }
  free(x), free(w), free(bias), free(residual), free(y), free(expected);
}

int main(void) {
  const lvae_conv2d_accuracy standard = lvae_conv2d_accuracy_standard;
  const lvae_conv2d_accuracy fast = lvae_conv2d_accuracy_fast;
  static const size_t channels[] = {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 48, 64};
  enum { count = sizeof channels / sizeof channels[0] };
  int kind = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      size_t in = channels[i], out = channels[j];
      kind = (kind + 1) % 8;
      check(square_shape(1, 9, 14, in, out, 3, 1, 1, 1), standard, kind);
      check(square_shape(2, 13, 7, in, out, 3, 1, 1, 1), fast, kind);
      check(square_shape(1, 9, 12, in, out, 3, 2, 1, 1), standard, kind);
      check(square_shape(3, 5, 11, in, out, 1, 1, 0, 0), standard, kind);
      check(doubling_shape(1, 5, 7, in, out, false), standard, kind);
      check(doubling_shape(1, 6, 5, in, out, true), standard, kind);
    }
  static const size_t sides[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33};
  for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
    for (size_t j = 0; j < sizeof sides / sizeof sides[0]; j++) {
      size_t height = sides[i], width = sides[j];
      kind = (kind + 1) % 8;
      for (int accuracy = 0; accuracy < 3; accuracy++)
        check(square_shape(3, height, width, 32, 32, 3, 1, 1, 1), accuracy, kind);
      if (height > 1 && width > 1)
        check(square_shape(3, height, width, 16, 20, 3, 2, 0, 1), standard, kind);
      check(square_shape(3, height, width, 20, 32, 1, 2, 0, 0), standard, kind);
      check(square_shape(1, height, width, 3, 20, 3, 1, 1, 1), standard, kind);
      check(square_shape(1, height, width, 20, 3, 3, 1, 1, 1), standard, kind);
      check(square_shape(1, height, width, 18, 33, 3, 1, 2, 2), standard, kind);
      check(doubling_shape(3, height, width, 32, 32, false), standard, kind);
      check(doubling_shape(3, height, width, 16, 24, true), standard, kind);
      check(square_shape(1, height + 6, width + 6, 5, 6, 7, 1, 3, 3), standard, kind);
      check(square_shape(1, height + 3, width + 3, 5, 6, 4, 2, 1, 1), standard, kind);
    }
  // Stride 2 where its own algorithm pays.
  for (size_t height = 29; height < 37; height++)
    for (size_t width = 61; width < 69; width++) {
      kind = (kind + 1) % 8;
      check(square_shape(2, height, width, 20, 40, 3, 2, 0, 1), standard, kind);
      check(square_shape(1, height, width, 32, 17, 3, 2, 1, 1), standard, kind);
    }
  // Long sums, and outputs that are streamed past the caches.
  for (int accuracy = 0; accuracy < 3; accuracy++) {
    check(square_shape(1, 12, 12, 512, 64, 3, 1, 1, 1), accuracy, 1);
    check(square_shape(1, 258, 258, 16, 64, 3, 1, 1, 1), accuracy, 3);
  }
  check(doubling_shape(1, 8, 8, 512, 32, false), standard, 1);
  check(square_shape(1, 24, 24, 512, 32, 3, 2, 0, 1), standard, 1);
  check(square_shape(1, 48, 48, 512, 32, 3, 2, 0, 1), standard, 1);
  printf(
      "%d checks, %d failed; worst error / tolerance: portable %.2f, avx2 %.2f, avx512 %.2f\n",
      checks, failures, worst[0], worst[1], worst[2]);
  return failures != 0;
}
