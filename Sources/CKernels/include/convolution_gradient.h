// Gradients of a convolution y = x ∗ w (see convolution.h).
#pragma once
#include "convolution.h"

/// The gradient with respect to the input is a convolution of y's gradient, with other weights:
/// stores its shape, whose input is shaped as y and whose output as x. False if there is none: for
/// a stride above 2, and for a stride of 2 unless the kernel has at most 4 rows and columns and x
/// is twice the size of y.
bool lvae_conv2d_input_gradient_shape(const lvae_conv2d_shape *shape, lvae_conv2d_shape *gradient);

/// The weights of that convolution, [kh][kw][Co][Ci] of the gradient's kernel size, from those of
/// the forward convolution.
void lvae_conv2d_input_gradient_weights(
    const lvae_conv2d_shape *shape, const float *weights, float *gradient_weights);

/// Computes the gradient with respect to the weights:
///
///   for task < lvae_conv2d_weight_gradient_task_count(plan):
///     lvae_conv2d_weight_gradient_run_task(plan, x, dy, partials, scratch, task)
///   for task < lvae_conv2d_weight_gradient_sum_task_count(plan):
///     lvae_conv2d_weight_gradient_sum_task(plan, partials, dw, task)
///
/// Tasks of one loop may run at the same time and in any order. Partial sums belong to tasks and
/// are added in a fixed order: the result does not depend on the number of threads.
typedef struct lvae_conv2d_weight_gradient_plan lvae_conv2d_weight_gradient_plan;

/// NULL unless it is a 3×3 convolution of stride 1, without upsampling; or if memory is refused.
lvae_conv2d_weight_gradient_plan *lvae_conv2d_weight_gradient_plan_create(
    const lvae_conv2d_shape *shape, lvae_isa isa);
void lvae_conv2d_weight_gradient_plan_destroy(lvae_conv2d_weight_gradient_plan *plan);

/// Floats of `partials`, 64-byte aligned, which all tasks share.
size_t lvae_conv2d_weight_gradient_partial_count(const lvae_conv2d_weight_gradient_plan *plan);
/// Bytes of memory, 64-byte aligned, that a task needs for itself while it runs.
size_t lvae_conv2d_weight_gradient_scratch_bytes(const lvae_conv2d_weight_gradient_plan *plan);
size_t lvae_conv2d_weight_gradient_task_count(const lvae_conv2d_weight_gradient_plan *plan);
size_t lvae_conv2d_weight_gradient_sum_task_count(const lvae_conv2d_weight_gradient_plan *plan);

/// Writes a part of `partials` from x[N, H, W, Ci] and dy, shaped as y.
void lvae_conv2d_weight_gradient_run_task(
    const lvae_conv2d_weight_gradient_plan *plan, const float *x, const float *dy,
    float *partials, void *scratch, size_t task);

/// Writes a part of dw[3][3][Ci][Co].
void lvae_conv2d_weight_gradient_sum_task(
    const lvae_conv2d_weight_gradient_plan *plan, const float *partials, float *dw, size_t task);
