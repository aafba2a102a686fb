// Compares the gradients of convolutions, on every instruction set that is available, with their
// definition in double precision.
//
//   .build/check_gradient
#include "harness.h"

static int failures = 0, checks = 0;

/// Calls `visit` for each product x[input] · w[weight] that y[output] is a sum of.
typedef void (*product_visitor)(void *context, size_t input, size_t weight, size_t output);
static void visit_products(const lvae_conv2d_shape *s, product_visitor visit, void *context) {
  for (size_t n = 0; n < s->batch; n++)
    for (size_t oy = 0; oy < s->out_height; oy++)
      for (size_t ox = 0; ox < s->out_width; ox++)
        for (size_t ky = 0; ky < s->kernel_height; ky++)
          for (size_t kx = 0; kx < s->kernel_width; kx++) {
            ptrdiff_t iy = (ptrdiff_t)(oy * s->stride + ky) - s->pad_top;
            ptrdiff_t ix = (ptrdiff_t)(ox * s->stride + kx) - s->pad_left;
            if (s->transposed) {
              iy = (ptrdiff_t)(oy + 1) - (ptrdiff_t)ky;
              ix = (ptrdiff_t)(ox + 1) - (ptrdiff_t)kx;
              if (iy % 2 || ix % 2) continue;
            }
            if (iy < 0 || ix < 0) continue;
            if (s->transposed || s->upsample) iy /= 2, ix /= 2;
            if (iy >= (ptrdiff_t)s->height || ix >= (ptrdiff_t)s->width) continue;
            for (size_t i = 0; i < s->in_channels; i++)
              for (size_t o = 0; o < s->out_channels; o++)
                visit(
                    context,
                    ((n * s->height + (size_t)iy) * s->width + (size_t)ix) * s->in_channels + i,
                    ((ky * s->kernel_width + kx) * s->in_channels + i) * s->out_channels + o,
                    ((n * s->out_height + oy) * s->out_width + ox) * s->out_channels + o);
          }
}

typedef struct {
  const float *x, *w, *dy;
  double *dx, *dw;
} gradients;
static void add_gradients(void *context, size_t input, size_t weight, size_t output) {
  gradients *g = context;
  g->dx[input] += (double)g->w[weight] * g->dy[output];
  g->dw[weight] += (double)g->x[input] * g->dy[output];
}

static void expect_near(
    const char *what, const lvae_conv2d_shape *s, const float *got, const double *expected,
    size_t count, double tolerance) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < count; i++) {
    error += (got[i] - expected[i]) * (got[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  error = sqrt(error / norm);
  checks++;
  if (error <= tolerance) return;
  failures++;
  printf(
      "FAILED %s %zux%zux%zux%zu -> %zux%zux%zu k%zu s%zu: %.2e\n", what, s->batch, s->height,
      s->width, s->in_channels, s->out_height, s->out_width, s->out_channels, s->kernel_height,
      s->stride, error);
}

static void check_input_gradient(
    const lvae_conv2d_shape *s, lvae_isa isa, const float *w, const float *dy,
    const double *expected) {
  lvae_conv2d_shape gradient;
  if (!lvae_conv2d_input_gradient_shape(s, &gradient)) abort();
  float *weights = allocate(weight_count(&gradient));
  lvae_conv2d_input_gradient_weights(s, w, weights);
  lvae_conv2d_plan *plan = lvae_conv2d_plan_create(&gradient, isa, lvae_conv2d_accuracy_standard);
  float *packed = allocate(lvae_conv2d_packed_count(plan)), *dx = allocate(input_count(s));
  float *scratch = allocate(lvae_conv2d_scratch_bytes(plan) / sizeof(float));
  pack_all(plan, weights, packed);
  lvae_conv2d_epilogue none = {0};
  run_plan(plan, dy, packed, dx, &none, 1, &scratch);
  expect_near("input gradient", s, dx, expected, input_count(s), 3e-6);
  free(weights), free(packed), free(dx), free(scratch);
  lvae_conv2d_plan_destroy(plan);
}

static void check_weight_gradient(
    const lvae_conv2d_shape *s, lvae_isa isa, const float *x, const float *dy,
    const double *expected) {
  lvae_conv2d_weight_gradient_plan *plan = lvae_conv2d_weight_gradient_plan_create(s, isa);
  if (!plan) return;
  size_t partial_count = lvae_conv2d_weight_gradient_partial_count(plan);
  size_t scratch_floats = lvae_conv2d_weight_gradient_scratch_bytes(plan) / sizeof(float);
  float *partials = allocate(partial_count), *scratch = allocate(scratch_floats);
  float *dw = allocate(weight_count(s));
  // What a kernel forgets to write must show.
  for (size_t i = 0; i < partial_count; i++) partials[i] = NAN;
  for (size_t i = 0; i < scratch_floats; i++) scratch[i] = NAN;
  for (size_t i = 0; i < lvae_conv2d_weight_gradient_task_count(plan); i++)
    lvae_conv2d_weight_gradient_run_task(plan, x, dy, partials, scratch, i);
  for (size_t i = 0; i < lvae_conv2d_weight_gradient_sum_task_count(plan); i++)
    lvae_conv2d_weight_gradient_sum_task(plan, partials, dw, i);
  expect_near("weight gradient", s, dw, expected, weight_count(s), 5e-6);
  free(partials), free(scratch), free(dw);
  lvae_conv2d_weight_gradient_plan_destroy(plan);
}

static void check(lvae_conv2d_shape s) {
  float *x = allocate(input_count(&s)), *w = allocate(weight_count(&s));
  float *dy = allocate(output_count(&s));
  fill_normal(x, input_count(&s), 1);
  fill_normal(w, weight_count(&s), 1);
  fill_normal(dy, output_count(&s), 1);
  double *dx = calloc(input_count(&s), sizeof *dx), *dw = calloc(weight_count(&s), sizeof *dw);
  gradients g = {x, w, dy, dx, dw};
  visit_products(&s, add_gradients, &g);
  for (lvae_isa isa = lvae_isa_portable; isa <= lvae_isa_avx512; isa++) {
    if (!lvae_isa_is_available(isa)) continue;
    check_input_gradient(&s, isa, w, dy, dx);
    check_weight_gradient(&s, isa, x, dy, dw);
  }
  free(x), free(w), free(dy), free(dx), free(dw);
}

int main(void) {
  static const size_t channels[] = {1, 3, 8, 15, 16, 17, 33, 64};
  enum { count = sizeof channels / sizeof channels[0] };
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      size_t in = channels[i], out = channels[j];
      check(square_shape(2, 9, 14, in, out, 3, 1, 1, 1));
      check(square_shape(1, 8, 6, in, out, 3, 2, 0, 1));
      check(square_shape(1, 6, 8, in, out, 3, 2, 1, 1));
      check(square_shape(1, 6, 8, in, out, 4, 2, 1, 1));
      check(square_shape(2, 5, 7, in, out, 1, 1, 0, 0));
      check(doubling_shape(1, 3, 5, in, out, false));
      check(doubling_shape(1, 4, 3, in, out, true));
    }
  static const size_t sides[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33};
  for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
    for (size_t j = 0; j < sizeof sides / sizeof sides[0]; j++)
      check(square_shape(3, sides[i], sides[j], 16, 20, 3, 1, 1, 1));
  check(square_shape(2, 64, 64, 32, 32, 3, 1, 1, 1));
  check(square_shape(1, 12, 12, 7, 9, 5, 1, 1, 1));
  printf("%d checks, %d failed\n", checks, failures);
  return failures != 0;
}
