// The functions that follow a layer.
#pragma once

typedef enum lvae_activation {
  lvae_activation_none,
  lvae_activation_relu,
  lvae_activation_silu,  // x / (1 + exp(−x)); relative error below 4e-7
} lvae_activation;
