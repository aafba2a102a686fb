/// Files that are part of the program: the models that need no download, and sample pictures.
#pragma once
#include <stddef.h>

/// A file.
typedef struct {
  /// Its path below this target's folder: `photo/config.json`.
  const char *path;
  const unsigned char *bytes;
  size_t byte_count;
} lvae_embedded_file;

/// All files, models before samples; the array lasts as long as the program.
const lvae_embedded_file *lvae_embedded_files(size_t *count);
