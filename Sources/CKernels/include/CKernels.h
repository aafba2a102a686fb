// The inner loops of lvae. Each header states its functions' contracts: shapes, aliasing,
// alignment. Tensors are float32 and channels last (NHWC); convolution weights are [kh][kw][Ci][Co].
#pragma once
#include "convolution.h"
#include "instruction_set.h"
#include "thread_pool.h"
