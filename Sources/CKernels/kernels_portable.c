// The kernels for any processor, with vectors of 16 bytes.
#define LVAE_VECTOR_FLOATS 4
#if defined(__aarch64__)
#define LVAE_TILE_ROWS 8  // 32 registers
#else
#define LVAE_TILE_ROWS 4
#endif
#include "convolution_kernels.h"
#include "attention_wide_bodies.h"
#include "convolution_weight_gradient.h"
#include "gradient_bodies.h"

const conv_kernels conv_kernels_portable = CONV_KERNELS;
const weight_gradient_kernels weight_gradient_kernels_portable = WEIGHT_GRADIENT_KERNELS;
const row_kernels row_kernels_portable = ROW_KERNELS;
