/// The files of the studio's page, which are part of the program.
#pragma once
#include <stddef.h>

/// A file.
typedef struct {
  /// Its path below `page`: `index.html`.
  const char *path;
  const unsigned char *bytes;
  size_t byte_count;
} lvae_studio_file;

/// All files; the array lasts as long as the program.
const lvae_studio_file *lvae_studio_files(size_t *count);
