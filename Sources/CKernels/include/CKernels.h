// The inner loops of lvae. Each header states its functions' contracts: shapes, aliasing,
// alignment. Tensors are float32 and channels last (NHWC); convolution weights are [kh][kw][Ci][Co].
#pragma once
#include "activation.h"
#include "arena.h"
#include "arithmetic_peak.h"
#include "convolution.h"
#include "convolution_gradient.h"
#include "elementwise.h"
#include "group_norm.h"
#include "half.h"
#include "heap.h"
#include "im2col.h"
#include "instruction_set.h"
#include "layout.h"
#include "sha256.h"
#include "softmax.h"
#include "thread_pool.h"
