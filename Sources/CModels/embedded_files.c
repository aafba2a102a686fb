#include "CModels.h"

// To add a model, add its four files, made by `Scripts/embed-model`, or its five, made by
// `Scripts/embed-denoiser`; a sample is one file.

static const unsigned char photo_entry[] = {
#embed "photo/lvae.json"
};
static const unsigned char photo_config[] = {
#embed "photo/config.json"
};
static const unsigned char photo_weights[] = {
#embed "photo/diffusion_pytorch_model.safetensors"
};
static const unsigned char photo_card[] = {
#embed "photo/README.md"
};

static const unsigned char emoji_entry[] = {
#embed "emoji/lvae.json"
};
static const unsigned char emoji_config[] = {
#embed "emoji/config.json"
};
static const unsigned char emoji_weights[] = {
#embed "emoji/diffusion_pytorch_model.safetensors"
};
static const unsigned char emoji_card[] = {
#embed "emoji/README.md"
};

static const unsigned char denoiser_index[] = {
#embed "emoji-denoiser/model_index.json"
};
static const unsigned char denoiser_config[] = {
#embed "emoji-denoiser/config.json"
};
static const unsigned char denoiser_scheduler[] = {
#embed "emoji-denoiser/scheduler_config.json"
};
static const unsigned char denoiser_weights[] = {
#embed "emoji-denoiser/diffusion_pytorch_model.safetensors"
};
static const unsigned char denoiser_card[] = {
#embed "emoji-denoiser/README.md"
};

static const unsigned char cat[] = {
#embed "samples/cat.png"
};
static const unsigned char coffee[] = {
#embed "samples/coffee.png"
};
static const unsigned char lobster[] = {
#embed "samples/lobster.png"
};
static const unsigned char mountains[] = {
#embed "samples/mountains.png"
};
static const unsigned char fox[] = {
#embed "samples/fox.png"
};
static const unsigned char strawberry[] = {
#embed "samples/strawberry.png"
};

static const lvae_embedded_file files[] = {
    {"photo/lvae.json", photo_entry, sizeof photo_entry},
    {"photo/config.json", photo_config, sizeof photo_config},
    {"photo/diffusion_pytorch_model.safetensors", photo_weights, sizeof photo_weights},
    {"photo/README.md", photo_card, sizeof photo_card},
    {"emoji/lvae.json", emoji_entry, sizeof emoji_entry},
    {"emoji/config.json", emoji_config, sizeof emoji_config},
    {"emoji/diffusion_pytorch_model.safetensors", emoji_weights, sizeof emoji_weights},
    {"emoji/README.md", emoji_card, sizeof emoji_card},
    {"emoji-denoiser/model_index.json", denoiser_index, sizeof denoiser_index},
    {"emoji-denoiser/config.json", denoiser_config, sizeof denoiser_config},
    {"emoji-denoiser/scheduler_config.json", denoiser_scheduler, sizeof denoiser_scheduler},
    {"emoji-denoiser/diffusion_pytorch_model.safetensors", denoiser_weights,
     sizeof denoiser_weights},
    {"emoji-denoiser/README.md", denoiser_card, sizeof denoiser_card},
    {"samples/cat.png", cat, sizeof cat},
    {"samples/coffee.png", coffee, sizeof coffee},
    {"samples/lobster.png", lobster, sizeof lobster},
    {"samples/mountains.png", mountains, sizeof mountains},
    {"samples/fox.png", fox, sizeof fox},
    {"samples/strawberry.png", strawberry, sizeof strawberry},
};

const lvae_embedded_file *lvae_embedded_files(size_t *count) {
  *count = sizeof files / sizeof *files;
  return files;
}
