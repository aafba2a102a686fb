// The optimiser's step, and what it needs of gradients. No two pointers overlap, unless said.
#pragma once
#include <stddef.h>

/// The factors of one step of AdamW, the same for all parameters of a kind.
typedef struct {
  float beta1, beta2;
  float gradient_scale;          // what gradients are multiplied with first
  float decay;                   // 1 − learning rate · weight decay
  float step_size;               // learning rate / (1 − beta1ᵗ)
  float inverse_root_correction; // 1 / √(1 − beta2ᵗ)
  float epsilon;
} lvae_adamw_factors;

/// g = gradient_scale · gradient
/// new_first = first + (1 − beta1) · (g − first)
/// new_second = beta2 · second + (1 − beta2) · g²
/// new_x = decay · x − step_size · new_first / (√new_second · inverse_root_correction + epsilon)
void lvae_adamw(
    const float *x, const float *gradient, const float *first, const float *second, float *new_x,
    float *new_first, float *new_second, size_t count, const lvae_adamw_factors *factors);

/// y = a · x + b · z
void lvae_blend(const float *x, float a, const float *z, float b, float *y, size_t count);
