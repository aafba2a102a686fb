// The last step of every convolution: y = activation(sum + bias + residual).
#pragma once
#include "convolution_plan.h"
#include "vectors.h"

typedef struct {
  float *y;
  const lvae_conv2d_epilogue *epilogue;
  size_t channels;
  bool streams;
} conv_output;

INLINE conv_output make_output(
    const lvae_conv2d_plan *plan, float *y, const lvae_conv2d_epilogue *epilogue) {
  return (conv_output){
      .y = y,
      .epilogue = epilogue,
      .channels = plan->shape.out_channels,
      .streams = plan->streams && (uintptr_t)y % sizeof(vec) == 0};
}

/// How many of the vector's channels from `channel` on exist.
INLINE size_t lanes_from(size_t channel, size_t channels) {
  return channel < channels ? smaller(channels - channel, vector_floats) : 0;
}

INLINE vec load_bias(const conv_output *out, size_t channel, size_t lanes) {
  const float *bias = out->epilogue->bias;
  return bias ? load_part(bias + channel, lanes) : (vec){0};
}

/// Stores one vector of a pixel's channels; `index` is its first float's place in y.
INLINE void write_output(const conv_output *out, size_t index, size_t lanes, vec sum, vec bias) {
  vec value = sum + bias;
  if (out->epilogue->residual) value += load_part(out->epilogue->residual + index, lanes);
  if (out->epilogue->activation == lvae_activation_relu) value = relu(value);
  if (out->streams) store_streaming(out->y + index, value);
  else store_part(out->y + index, value, lanes);
}

/// Makes streamed stores visible before the task is reported as done.
INLINE void finish_output(const conv_output *out) {
  if (out->streams) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
