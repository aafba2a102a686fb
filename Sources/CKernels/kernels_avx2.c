// The kernels for x86 processors with AVX2 and FMA.
#if defined(__x86_64__)
#include "convolution_gradient_plan.h"
#include "row_kernels.h"

#include <stdint.h>
#include <string.h>

#define LVAE_VECTOR_FLOATS 8
#define LVAE_TILE_ROWS 6
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "convolution_kernels.h"
#include "attention_wide_bodies.h"
#include "convolution_weight_gradient.h"
#include "gradient_bodies.h"
#pragma clang attribute pop

const conv_kernels conv_kernels_avx2 = CONV_KERNELS;
const weight_gradient_kernels weight_gradient_kernels_avx2 = WEIGHT_GRADIENT_KERNELS;
const row_kernels row_kernels_avx2 = ROW_KERNELS;
#endif
