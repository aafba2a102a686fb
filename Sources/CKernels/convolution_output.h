// The last step of every convolution: y = activation(sum + bias + residual).
#pragma once
#include "convolution_plan.h"
#include "vectors.h"

/// How whole vectors are finished; fixed for a task, so that the loops over a tile's pixels needn't ask.
typedef enum {
  output_plain,
  output_with_residual,
  output_streamed,
  output_streamed_with_residual,
} output_kind;

INLINE bool adds_residual(output_kind kind) {
  return kind == output_with_residual || kind == output_streamed_with_residual;
}

INLINE bool is_streamed(output_kind kind) {
  return kind == output_streamed || kind == output_streamed_with_residual;
}

typedef struct {
  float *y;
  const lvae_conv2d_epilogue *epilogue;
  size_t channels;
  output_kind kind;
  int32_t dropped;  // the bits of a negative result that go: all for ReLU, else none
} conv_output;

INLINE conv_output make_output(
    const lvae_conv2d_plan *plan, float *y, const lvae_conv2d_epilogue *epilogue) {
  bool streams = plan->streams && (uintptr_t)y % sizeof(vec) == 0;
  output_kind without = streams ? output_streamed : output_plain;
  output_kind with = streams ? output_streamed_with_residual : output_with_residual;
  return (conv_output){
      .y = y,
      .epilogue = epilogue,
      .channels = plan->shape.out_channels,
      .kind = epilogue->residual ? with : without,
      .dropped = epilogue->activation == lvae_activation_relu ? -1 : 0};
}

/// How many of the vector's channels from `channel` on exist.
INLINE size_t lanes_from(size_t channel, size_t channels) {
  return channel < channels ? smaller(channels - channel, vector_floats) : 0;
}

INLINE vec load_bias(const conv_output *out, size_t channel, size_t lanes) {
  const float *bias = out->epilogue->bias;
  return bias ? load_part(bias + channel, lanes) : (vec){0};
}

/// v, or max(v, 0) of which NaN stays.
INLINE vec rectified(const conv_output *out, vec v) {
  return (vec)((int_vec)v & ~((int_vec)(v < 0) & out->dropped));
}

/// Stores a whole vector of a pixel's channels; `index` is its first float's place in y.
INLINE void write_whole(
    const conv_output *out, const output_kind kind, size_t index, vec sum, vec bias) {
  vec value = sum + bias;
  if (adds_residual(kind)) value += load(out->epilogue->residual + index);
  value = rectified(out, value);
  if (is_streamed(kind)) store_streaming(out->y + index, value);
  else store(out->y + index, value);
}

/// The same for a vector of which only the first `lanes` may exist.
INLINE void write_output(const conv_output *out, size_t index, size_t lanes, vec sum, vec bias) {
  if (lanes >= vector_floats) {
    write_whole(out, out->kind, index, sum, bias);
    return;
  }
  vec value = sum + bias;
  if (out->epilogue->residual) value += load_part(out->epilogue->residual + index, lanes);
  store_part(out->y + index, rectified(out, value), lanes);
}

/// Makes streamed stores visible before the task is reported as done.
INLINE void finish_output(const conv_output *out) {
  if (is_streamed(out->kind)) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
