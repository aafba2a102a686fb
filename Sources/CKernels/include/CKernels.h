// The inner loops of lvae. Each header states its functions' contracts: shapes, aliasing,
// alignment. Tensors are float32 and channels last (NHWC); convolution weights are [kh][kw][Ci][Co].
#pragma once
#include "elementwise.h"
#include "half.h"
#include "im2col.h"
#include "layout.h"
#include "reference.h"
#include "sha256.h"
#include "thread_pool.h"
