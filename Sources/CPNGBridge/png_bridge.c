#include "CPNGBridge.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  message_size = 160,
  chunk_byte_limit = 8 << 20,  // of one ancillary chunk, decompressed: a profile, at most
  chunk_count_limit = 64,      // of ancillary chunks that are kept
};

struct lvae_png_reader {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t byte_count;
  size_t position;
  size_t row_byte_count;
  uint32_t height;
  int passes;
  int is_truncated;
  int has_bad_checksum;
  char message[message_size];
  char warning[message_size];
};

static void read_failed(png_structp png, png_const_charp text) {
  lvae_png_reader *reader = png_get_error_ptr(png);
  snprintf(reader->message, message_size, "%s", text);
  png_longjmp(png, 1);
}

static void read_warned(png_structp png, png_const_charp text) {
  lvae_png_reader *reader = png_get_error_ptr(png);
  if (!reader->warning[0]) snprintf(reader->warning, message_size, "%s", text);
  // zlib's checksum of the pixels is the last thing in them, when libpng has all rows already: it
  // only warns.
  if (strstr(text, "IDAT") && strstr(text, "data check")) reader->has_bad_checksum = 1;
}

static void read_bytes(png_structp png, png_bytep destination, size_t count) {
  lvae_png_reader *reader = png_get_io_ptr(png);
  if (count > reader->byte_count - reader->position) {
    reader->is_truncated = 1;
    png_error(png, "the file ends too early");
  }
  memcpy(destination, reader->bytes + reader->position, count);
  reader->position += count;
}

static lvae_png_status failure(const lvae_png_reader *reader) {
  return reader->is_truncated ? LVAE_PNG_TRUNCATED : LVAE_PNG_DAMAGED;
}

lvae_png_reader *lvae_png_reader_create(const uint8_t *bytes, size_t byte_count) {
  lvae_png_reader *reader = calloc(1, sizeof *reader);
  if (!reader) return NULL;
  reader->bytes = bytes;
  reader->byte_count = byte_count;
  reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, read_failed, read_warned);
  reader->info = reader->png ? png_create_info_struct(reader->png) : NULL;
  if (!reader->info) {
    lvae_png_reader_destroy(reader);
    return NULL;
  }
  return reader;
}

void lvae_png_reader_destroy(lvae_png_reader *reader) {
  if (reader->png) png_destroy_read_struct(&reader->png, &reader->info, NULL);
  free(reader);
}

// Chunks that nobody asks for are skipped, so that compressed text costs no memory; and one that
// is kept must be small.
static void set_limits(png_structp png) {
  static const png_byte skipped[] = "tEXt\0zTXt\0iTXt\0sPLT\0hIST";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, 5);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_chunk_malloc_max(png, chunk_byte_limit);
  png_set_chunk_cache_max(png, chunk_count_limit);
}

// Asks libpng for whole samples of 8 or 16 bits, colours instead of palette indices, and an alpha
// channel where the file names transparent colours.
static void set_transformations(png_structp png, png_infop info) {
  int color_type = png_get_color_type(png, info);
  int bit_depth = png_get_bit_depth(png, info);
  if (color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (color_type == PNG_COLOR_TYPE_GRAY && bit_depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (png_get_valid(png, info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (bit_depth == 16) png_set_swap(png);
#endif
}

static void describe_color(png_structp png, png_infop info, lvae_png_header *header) {
  int intent;
  header->is_srgb = png_get_sRGB(png, info, &intent) != 0;
  double gamma;
  if (png_get_gAMA(png, info, &gamma)) header->gamma = gamma;
  header->has_chromaticities =
      png_get_cHRM(png, info, &header->white_x, &header->white_y, &header->red_x, &header->red_y,
                   &header->green_x, &header->green_y, &header->blue_x, &header->blue_y) != 0;
}

lvae_png_status lvae_png_read_header(lvae_png_reader *reader, lvae_png_header *header) {
  png_structp png = reader->png;
  png_infop info = reader->info;
  memset(header, 0, sizeof *header);
  if (setjmp(png_jmpbuf(png))) return failure(reader);
  set_limits(png);
  png_set_read_fn(png, reader, read_bytes);
  png_read_info(png, info);
  header->width = png_get_image_width(png, info);
  header->height = png_get_image_height(png, info);
  header->file_bit_depth = png_get_bit_depth(png, info);
  describe_color(png, info, header);
  set_transformations(png, info);
  reader->passes = png_set_interlace_handling(png);
  // Unlike png_read_update_info, this allocates nothing; libpng's own rows wait for the pixels.
  header->channels = png_get_channels(png, info);
  if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) header->channels = 3;
  if (png_get_valid(png, info, PNG_INFO_tRNS)) header->channels += 1;
  header->bits_per_sample = header->file_bit_depth == 16 ? 16 : 8;
  header->row_byte_count =
      (size_t)header->width * (size_t)(header->channels * (header->bits_per_sample / 8));
  reader->row_byte_count = header->row_byte_count;
  reader->height = header->height;
  return LVAE_PNG_OK;
}

lvae_png_status lvae_png_read_pixels(lvae_png_reader *reader, uint8_t *pixels) {
  png_structp png = reader->png;
  if (setjmp(png_jmpbuf(png))) return failure(reader);
  png_read_update_info(png, reader->info);
  if (png_get_rowbytes(png, reader->info) != reader->row_byte_count) {
    png_error(png, "rows of an unexpected size");
  }
  for (int pass = 0; pass < reader->passes; pass++) {
    for (uint32_t y = 0; y < reader->height; y++) {
      png_read_row(png, pixels + y * reader->row_byte_count, NULL);
    }
  }
  png_read_end(png, reader->info);
  if (reader->has_bad_checksum) png_error(png, "the checksum of the pixels is wrong");
  return LVAE_PNG_OK;
}

const uint8_t *lvae_png_profile(lvae_png_reader *reader, size_t *byte_count) {
  png_charp name;
  int compression;
  png_bytep profile;
  png_uint_32 length;
  if (!png_get_iCCP(reader->png, reader->info, &name, &compression, &profile, &length)) return NULL;
  *byte_count = length;
  return profile;
}

const uint8_t *lvae_png_exif(lvae_png_reader *reader, size_t *byte_count) {
  png_bytep exif;
  png_uint_32 length;
  if (!png_get_eXIf_1(reader->png, reader->info, &length, &exif)) return NULL;
  *byte_count = length;
  return exif;
}

const char *lvae_png_message(const lvae_png_reader *reader) { return reader->message; }

const char *lvae_png_warning(const lvae_png_reader *reader) { return reader->warning; }

typedef struct {
  lvae_png_sink sink;
  void *context;
} png_target;

static void write_failed(png_structp png, png_const_charp text) {
  (void)text;
  png_longjmp(png, 1);
}

static void write_warned(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void write_bytes(png_structp png, png_bytep source, size_t count) {
  const png_target *target = png_get_io_ptr(png);
  if (!target->sink(target->context, source, count)) png_error(png, "the sink refuses");
}

static void flush_nothing(png_structp png) { (void)png; }

// tEXt where the text is ASCII, iTXt (UTF-8) where it isn't; neither compressed.
static void set_text(png_structp png, png_infop info, const char *text, size_t count) {
  for (size_t i = 0; i < count; i++) {
    png_text entry = {.compression = PNG_TEXT_COMPRESSION_NONE, .lang = "", .lang_key = ""};
    entry.key = (png_charp)text;
    text += strlen(text) + 1;
    entry.text = (png_charp)text;
    for (; *text; text++) {
      if (*text & 0x80) entry.compression = PNG_ITXT_COMPRESSION_NONE;
    }
    text += 1;
    png_set_text(png, info, &entry, 1);
  }
}

bool lvae_png_write(uint32_t width, uint32_t height, int channels, int bits_per_sample,
                    const uint8_t *pixels, int compression_level, const char *text,
                    size_t text_count, lvae_png_sink sink, void *context) {
  static const int color_types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                    PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  png_target target = {sink, context};
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, write_failed, write_warned);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    return false;
  }
  png_set_write_fn(png, &target, write_bytes, flush_nothing);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_compression_level(png, compression_level);
  png_set_IHDR(png, info, width, height, bits_per_sample, color_types[channels],
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
  set_text(png, info, text, text_count);
  png_write_info(png, info);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (bits_per_sample == 16) png_set_swap(png);
#endif
  size_t row_byte_count = (size_t)width * (size_t)(channels * (bits_per_sample / 8));
  for (uint32_t y = 0; y < height; y++) png_write_row(png, pixels + y * row_byte_count);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  return true;
}
