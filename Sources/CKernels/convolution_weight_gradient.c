// Plans of weight gradients.
#include <stdlib.h>

#include "convolution_gradient_plan.h"

enum {
  alpha = 6,
  tile = 4,
  fewest_tasks = 8,
  // A longer block makes the sums' loads and stores rarer, and the transformed tiles larger.
  tiles_per_block = 32,
  channels_per_sum = 16,  // as in convolution_weight_gradient.h
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

static const weight_gradient_kernels *gradient_kernels_of(lvae_isa isa) {
#if defined(__x86_64__)
  if (isa == lvae_isa_avx512) return &weight_gradient_kernels_avx512;
  if (isa == lvae_isa_avx2) return &weight_gradient_kernels_avx2;
#else
  (void)isa;
#endif
  return &weight_gradient_kernels_portable;
}

lvae_conv2d_weight_gradient_plan *lvae_conv2d_weight_gradient_plan_create(
    const lvae_conv2d_shape *shape, lvae_isa isa) {
  if (shape->upsample || shape->transposed || shape->stride != 1 || shape->kernel_height != 3 ||
      shape->kernel_width != 3)
    return NULL;
  lvae_conv2d_weight_gradient_plan *plan = calloc(1, sizeof *plan);
  if (!plan) return NULL;
  plan->kernels = gradient_kernels_of(isa);
  lvae_conv2d_plan *geometry = &plan->geometry;
  geometry->shape = *shape;
  geometry->kernels = conv_kernels_of(isa);
  size_t panel = geometry->kernels->panel_floats, vector = geometry->kernels->vector_floats;
  geometry->channel_blocks = divide_up(shape->in_channels, vector);
  geometry->panels = divide_up(shape->out_channels, panel);

  conv_winograd_blocking *winograd = &geometry->winograd;
  winograd->tile = tile;
  winograd->alpha = alpha;
  winograd->phases = 1;
  winograd->tiles_down = divide_up(shape->out_height, tile);
  winograd->tiles_across = divide_up(shape->out_width, tile);
  winograd->tiles = shape->batch * winograd->tiles_down * winograd->tiles_across;
  winograd->tiles_per_block = smaller(tiles_per_block, winograd->tiles);

  // Parts have partial sums of their own, so they are few and long; panels make up for it.
  size_t parts = smaller(larger(winograd->tiles / (2 * tiles_per_block), 1), fewest_tasks);
  size_t blocks = divide_up(divide_up(winograd->tiles, parts), winograd->tiles_per_block);
  plan->tiles_per_part = blocks * winograd->tiles_per_block;
  plan->parts = divide_up(winograd->tiles, plan->tiles_per_part);
  size_t groups = smaller(divide_up(fewest_tasks, plan->parts), geometry->panels);
  plan->panels_per_group = divide_up(geometry->panels, groups);
  plan->groups = divide_up(geometry->panels, plan->panels_per_group);

  winograd->input_stride = conv_frequency_stride(
      geometry->channel_blocks * vector * winograd->tiles_per_block);
  winograd->product_stride =
      conv_frequency_stride(plan->panels_per_group * panel * winograd->tiles_per_block);
  return plan;
}

void lvae_conv2d_weight_gradient_plan_destroy(lvae_conv2d_weight_gradient_plan *plan) {
  free(plan);
}

size_t lvae_conv2d_weight_gradient_partial_count(const lvae_conv2d_weight_gradient_plan *plan) {
  const lvae_conv2d_plan *geometry = &plan->geometry;
  size_t channels = geometry->channel_blocks * geometry->kernels->vector_floats;
  return plan->parts * geometry->panels * alpha * alpha * channels *
         geometry->kernels->panel_floats;
}

size_t lvae_conv2d_weight_gradient_scratch_bytes(const lvae_conv2d_weight_gradient_plan *plan) {
  const conv_winograd_blocking *winograd = &plan->geometry.winograd;
  return alpha * alpha * (winograd->input_stride + winograd->product_stride) * sizeof(float);
}

size_t lvae_conv2d_weight_gradient_task_count(const lvae_conv2d_weight_gradient_plan *plan) {
  return plan->parts * plan->groups;
}

size_t lvae_conv2d_weight_gradient_sum_task_count(const lvae_conv2d_weight_gradient_plan *plan) {
  return plan->geometry.panels * divide_up(plan->geometry.shape.in_channels, channels_per_sum);
}

void lvae_conv2d_weight_gradient_run_task(
    const lvae_conv2d_weight_gradient_plan *plan, const float *x, const float *dy,
    float *partials, void *scratch, size_t task) {
  plan->kernels->run(plan, x, dy, partials, scratch, task);
}

void lvae_conv2d_weight_gradient_sum_task(
    const lvae_conv2d_weight_gradient_plan *plan, const float *partials, float *dw, size_t task) {
  plan->kernels->sum(plan, partials, dw, task);
}
