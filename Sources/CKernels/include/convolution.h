// 2-D convolution, forward. Tensors are float32 NHWC, weights HWIO: [kh][kw][Ci][Co].
//
// A plan is made for a shape; then the weights are packed for it (once, or whenever they change),
// and the convolution is a loop over tasks:
//
//   for task < lvae_conv2d_pack_task_count(plan):
//     lvae_conv2d_pack_task(plan, weights, packed, task)
//   for task < lvae_conv2d_task_count(plan):
//     lvae_conv2d_run_task(plan, x, packed, y, epilogue, scratch, task)
//
// A 1×1 convolution of stride 1 is a product of matrices, [N · H · W][Ci] · [Ci][Co].
//
// Tasks of one loop may run at the same time and in any order. They depend on the shape alone, so
// the result does not depend on the number of threads.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "activation.h"
#include "instruction_set.h"

/// What is computed: y[N, out_height, out_width, out_channels] from
/// x[N, height, width, in_channels].
typedef struct lvae_conv2d_shape {
  size_t batch, height, width, in_channels;
  size_t out_height, out_width, out_channels;
  size_t kernel_height, kernel_width, stride;
  /// Rows and columns of zeros before the first; those after the last follow from the sizes.
  ptrdiff_t pad_top, pad_left;
  /// x is first doubled in height and width (nearest): 3×3, stride 1, padding 1 only. In a band of
  /// rows, pad_top is 0 if x begins with the row above the band (and each pad_top counts rows of x),
  /// and out_height is twice the band's rows; x may hold the row below.
  bool upsample;
  /// The transposed convolution: 4×4, stride 2, padding 1 only. The weights are
  /// [kh][kw][Ci][Co] too, and y[2i − 1 + k] += x[i] · w[k].
  bool transposed;
} lvae_conv2d_shape;

/// y = activation(convolution + bias + residual).
typedef struct lvae_conv2d_epilogue {
  const float *bias;      // [Co] or NULL
  const float *residual;  // shaped as y, or NULL; may be y itself
  lvae_activation activation;  // none or relu
} lvae_conv2d_epilogue;

/// How much rounding error is allowed; relative L2 errors are for normally distributed values.
typedef enum lvae_conv2d_accuracy {
  lvae_conv2d_accuracy_strict,    // at most about 1e-6, as an ordinary loop of additions
  lvae_conv2d_accuracy_standard,  // at most about 1.2e-6
  lvae_conv2d_accuracy_fast,      // at most about 5e-6
} lvae_conv2d_accuracy;

/// An algorithm with its blocking, for one shape and one instruction set.
typedef struct lvae_conv2d_plan lvae_conv2d_plan;

/// NULL if no kernel computes this shape, or if memory is refused. The instruction set must be
/// available.
lvae_conv2d_plan *lvae_conv2d_plan_create(
    const lvae_conv2d_shape *shape, lvae_isa isa, lvae_conv2d_accuracy accuracy);
void lvae_conv2d_plan_destroy(lvae_conv2d_plan *plan);

/// For benchmarks and tests: "direct", "winograd-4x4" …
const char *lvae_conv2d_algorithm_name(const lvae_conv2d_plan *plan);

/// How many floats the packed weights are.
size_t lvae_conv2d_packed_count(const lvae_conv2d_plan *plan);
size_t lvae_conv2d_pack_task_count(const lvae_conv2d_plan *plan);
/// Writes a part of `packed`, which is 64-byte aligned.
void lvae_conv2d_pack_task(
    const lvae_conv2d_plan *plan, const float *weights, float *packed, size_t task);

/// Bytes of memory, 64-byte aligned, that a task needs for itself while it runs.
size_t lvae_conv2d_scratch_bytes(const lvae_conv2d_plan *plan);
size_t lvae_conv2d_task_count(const lvae_conv2d_plan *plan);
/// Writes a part of `y`, which doesn't overlap `x`. `x` and `y` may have any alignment; 64 bytes is
/// fastest.
void lvae_conv2d_run_task(
    const lvae_conv2d_plan *plan, const float *x, const float *packed, float *y,
    const lvae_conv2d_epilogue *epilogue, void *scratch, size_t task);
