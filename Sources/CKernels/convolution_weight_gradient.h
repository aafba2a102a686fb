// The weight gradient of a 3×3 convolution: F(3×3, 4×4), in which the gradient of an output tile is
// the kernel, and the input transform is that of F(4×4, 3×3).
#pragma once
#include "convolution_gradient_plan.h"
#include "convolution_winograd.h"

enum {
  // Rows of a product tile: input channels, of which a block holds a whole number of tiles.
  gradient_rows = vector_floats == 16 ? 8 : 4,
  gradient_alpha = 6,
  gradient_frequencies = 36,
  channels_per_sum = 16,  // summed by one task
};

/// c[gradient_rows][panel] (+)= Σ over t: a[t · vector_floats + row] · b[t][panel].
static void gradient_product(
    size_t tiles, const float *a, const float *b, float *c, bool accumulates) {
  vec sum[gradient_rows][2];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < gradient_rows; r++) {
    sum[r][0] = accumulates ? load_aligned(c + r * panel_floats) : (vec){0};
    sum[r][1] = accumulates ? load_aligned(c + r * panel_floats + vector_floats) : (vec){0};
  }
#pragma clang loop unroll_count(4)
  for (size_t t = 0; t < tiles; t++, a += vector_floats, b += panel_floats) {
    vec b0 = load_aligned(b), b1 = load_aligned(b + vector_floats);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < gradient_rows; r++) {
      sum[r][0] += a[r] * b0;
      sum[r][1] += a[r] * b1;
    }
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < gradient_rows; r++) {
    store_aligned(c + r * panel_floats, sum[r][0]);
    store_aligned(c + r * panel_floats + vector_floats, sum[r][1]);
  }
}

/// Transforms one tile of the output's gradient, for a vector of channels, to z[alpha²], `stride`
/// floats apart. Pixels outside of the output are zeros.
INLINE void transform_gradient_tile(
    const lvae_conv2d_shape *shape, const float *dy, const tile_run *run, size_t tile_x,
    size_t channel, size_t stride, float *z) {
  size_t lanes = lanes_from(channel, shape->out_channels);
  size_t y0 = run->tile_y * 4, x0 = tile_x * 4;
  size_t rows = smaller(shape->out_height - y0, 4), count = smaller(shape->out_width - x0, 4);
  size_t row_stride = shape->out_width * shape->out_channels;
  const float *corner =
      dy + ((run->image * shape->out_height + y0) * shape->out_width + x0) * shape->out_channels +
      channel;
  bool whole = rows == 4 && count == 4 && lanes == vector_floats;
  vec columns[4][gradient_alpha];
#pragma clang loop unroll(full)
  for (size_t j = 0; j < 4; j++) {
    vec column[4] = {0};
    const float *pixel = corner + j * shape->out_channels;
    if (whole) {
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 4; i++) column[i] = load(pixel + i * row_stride);
    } else if (j < count) {
      for (size_t i = 0; i < rows; i++) column[i] = load_part(pixel + i * row_stride, lanes);
    }
    f34_taps(column, columns[j]);
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < gradient_alpha; i++) {
    vec row[4] = {columns[0][i], columns[1][i], columns[2][i], columns[3][i]};
    vec out[gradient_alpha];
    f34_taps(row, out);
#pragma clang loop unroll(full)
    for (size_t j = 0; j < gradient_alpha; j++)
      store_aligned(z + (i * gradient_alpha + j) * stride, out[j]);
  }
}

/// Adds a block's products to the partial sums of the panels from `first_panel` on; meanwhile
/// fetches what is on the list.
INLINE void add_gradient_products(
    const lvae_conv2d_weight_gradient_plan *plan, const float *v, const float *z, size_t tiles,
    size_t panels, float *sums, bool accumulates, prefetch_list *list) {
  const lvae_conv2d_plan *geometry = &plan->geometry;
  const conv_winograd_blocking *winograd = &geometry->winograd;
  size_t channels = geometry->channel_blocks * vector_floats;
  size_t calls = gradient_frequencies * panels * geometry->channel_blocks;
  size_t lines_per_call = (list->lines + calls - 1) / calls;
  for (size_t f = 0; f < gradient_frequencies; f++)
    for (size_t panel = 0; panel < panels; panel++)
      for (size_t block = 0; block < geometry->channel_blocks; block++) {
        prefetch_some(list, lines_per_call);
        for (size_t r = 0; r < vector_floats; r += gradient_rows)
          gradient_product(
              tiles,
              v + f * winograd->input_stride +
                  block * winograd->tiles_per_block * vector_floats + r,
              z + f * winograd->product_stride + panel * winograd->tiles_per_block * panel_floats,
              sums + ((panel * gradient_frequencies + f) * channels + block * vector_floats + r) *
                         panel_floats,
              accumulates);
      }
}

static void weight_gradient_run(
    const lvae_conv2d_weight_gradient_plan *plan, const float *x, const float *dy,
    float *partials, float *scratch, size_t task) {
  const lvae_conv2d_plan *geometry = &plan->geometry;
  const conv_winograd_blocking *winograd = &geometry->winograd;
  size_t part = task / plan->groups, first_panel = task % plan->groups * plan->panels_per_group;
  size_t panels = smaller(plan->panels_per_group, geometry->panels - first_panel);
  size_t start = part * plan->tiles_per_part;
  size_t end = smaller(start + plan->tiles_per_part, winograd->tiles);
  size_t panel_sums =
      gradient_frequencies * geometry->channel_blocks * vector_floats * panel_floats;
  float *sums = partials + (part * geometry->panels + first_panel) * panel_sums;
  float *v = scratch, *z = scratch + gradient_frequencies * winograd->input_stride;
  size_t panel_stride = winograd->tiles_per_block * panel_floats;
  for (size_t first = start; first < end; first += winograd->tiles_per_block) {
    size_t last = smaller(first + winograd->tiles_per_block, end);
    tile_run run;
    for (size_t t = first; t < last; t += run.count) {
      run = run_from(winograd, t, last);
      transform_input_run(gradient_alpha, geometry, x, run, 0, v + (t - first) * vector_floats);
      for (size_t i = 0; i < run.count; i++)
        for (size_t c = 0; c < panels * panel_floats; c += vector_floats)
          transform_gradient_tile(
              &geometry->shape, dy, &run, run.tile_x + i, first_panel * panel_floats + c,
              winograd->product_stride,
              z + c / panel_floats * panel_stride + (t - first + i) * panel_floats +
                  c % panel_floats);
    }
    prefetch_list list = {0};
    size_t next_end = smaller(last + winograd->tiles_per_block, end);
    for (size_t t = last; t < next_end; t += run.count) {
      run = run_from(winograd, t, next_end);
      prefetch_input(
          tile_of(gradient_alpha), gradient_alpha - tile_of(gradient_alpha), geometry, x, run, &list);
      prefetch_output(gradient_alpha, geometry, dy, run, 0, &list);
    }
    add_gradient_products(plan, v, z, last - first, panels, sums, first > start, &list);
  }
}

/// Adds the parts for some channels of one panel, and transforms the sums to weights.
static void weight_gradient_sum(
    const lvae_conv2d_weight_gradient_plan *plan, const float *partials, float *dw, size_t task) {
  const lvae_conv2d_plan *geometry = &plan->geometry;
  const lvae_conv2d_shape *shape = &geometry->shape;
  size_t panel = task % geometry->panels, first = task / geometry->panels * channels_per_sum;
  size_t last = smaller(first + channels_per_sum, shape->in_channels);
  size_t channels = geometry->channel_blocks * vector_floats;
  size_t part_sums = geometry->panels * gradient_frequencies * channels * panel_floats;
  for (size_t channel = first; channel < last; channel++)
    for (size_t half = 0; half < panel_floats; half += vector_floats) {
      size_t out_channel = panel * panel_floats + half;
      size_t lanes = lanes_from(out_channel, shape->out_channels);
      if (!lanes) continue;
      vec columns[gradient_alpha][3];
      for (size_t j = 0; j < gradient_alpha; j++) {
        vec column[gradient_alpha];
        for (size_t i = 0; i < gradient_alpha; i++) {
          size_t frequency = panel * gradient_frequencies + i * gradient_alpha + j;
          const float *sum = partials + (frequency * channels + channel) * panel_floats + half;
          column[i] = load_aligned(sum);
          for (size_t part = 1; part < plan->parts; part++)
            column[i] += load_aligned(sum + part * part_sums);
        }
        f34_output(column, columns[j]);
      }
      for (size_t ky = 0; ky < 3; ky++) {
        vec row[gradient_alpha], taps[3];
        for (size_t j = 0; j < gradient_alpha; j++) row[j] = columns[j][ky];
        f34_output(row, taps);
        for (size_t kx = 0; kx < 3; kx++) {
          size_t matrix_row = (ky * 3 + kx) * shape->in_channels + channel;
          store_part(dw + matrix_row * shape->out_channels + out_channel, taps[kx], lanes);
        }
      }
    }
}

#define WEIGHT_GRADIENT_KERNELS \
  { .run = weight_gradient_run, .sum = weight_gradient_sum }
