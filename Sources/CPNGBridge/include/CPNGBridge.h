// PNG files in memory, through libpng.
//
// libpng reports errors by longjmp, which must not cross Swift: it stays inside these functions,
// and each returns a status instead.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  LVAE_PNG_OK = 0,
  LVAE_PNG_TRUNCATED = 1,  // the bytes end before the picture does
  LVAE_PNG_DAMAGED = 2,    // anything else that libpng refuses; see lvae_png_message
} lvae_png_status;

// What is known before the pixels are read.
typedef struct {
  uint32_t width;
  uint32_t height;
  int file_bit_depth;      // of a sample or palette index in the file: 1, 2, 4, 8, 16
  int channels;            // as delivered: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA
  int bits_per_sample;     // as delivered: 8, or 16 in the machine's byte order
  size_t row_byte_count;   // as delivered
  int is_srgb;             // an sRGB chunk was found
  double gamma;            // of gAMA; 0 without
  int has_chromaticities;  // cHRM was found:
  double white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y;
} lvae_png_header;

typedef struct lvae_png_reader lvae_png_reader;

// A reader of `bytes`, which must stay valid until it is destroyed. Null when memory is short.
lvae_png_reader *lvae_png_reader_create(const uint8_t *bytes, size_t byte_count);
void lvae_png_reader_destroy(lvae_png_reader *reader);

// First: everything before the pixels. No memory is sized from the width or the height.
lvae_png_status lvae_png_read_header(lvae_png_reader *reader, lvae_png_header *header);

// Then: all pixels, straight alpha, rows without gaps (`row_byte_count * height` bytes), and the
// rest of the file up to its end chunk.
lvae_png_status lvae_png_read_pixels(lvae_png_reader *reader, uint8_t *pixels);

// The ICC profile and the EXIF block, or null. They belong to the reader. EXIF may stand after the
// pixels: ask when they are read.
const uint8_t *lvae_png_profile(lvae_png_reader *reader, size_t *byte_count);
const uint8_t *lvae_png_exif(lvae_png_reader *reader, size_t *byte_count);

// Why the last call failed, and libpng's first warning; empty when there is none.
const char *lvae_png_message(const lvae_png_reader *reader);
const char *lvae_png_warning(const lvae_png_reader *reader);

// Writes a PNG that is marked as sRGB. `channels` and `bits_per_sample` as in the header; 16-bit
// samples in the machine's byte order. `text` holds `text_count` pairs: keyword, 0, UTF-8 text, 0.
// The file goes to `sink` piece by piece, which returns false to stop. False when it did, when libpng
// fails, or when memory is short.
typedef bool (*lvae_png_sink)(void *context, const uint8_t *bytes, size_t byte_count);
bool lvae_png_write(uint32_t width, uint32_t height, int channels, int bits_per_sample,
                    const uint8_t *pixels, int compression_level, const char *text,
                    size_t text_count, lvae_png_sink sink, void *context);
