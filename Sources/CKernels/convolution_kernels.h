// The table of an instruction set's convolution kernels.
#pragma once
#include "convolution_direct.h"
#include "convolution_winograd.h"

#define CONV_KERNELS                             \
  {                                              \
    .vector_floats = vector_floats,              \
    .panel_floats = panel_floats,                \
    .tile_rows = tile_rows,                      \
    .pack =                                      \
        {                                        \
            [conv_direct] = direct_pack,         \
            [conv_winograd_4x4] = winograd_4x4_pack, \
            [conv_winograd_6x6] = winograd_6x6_pack, \
            [conv_phases_4x4] = phases_4x4_pack, \
        },                                       \
    .run =                                       \
        {                                        \
            [conv_direct] = direct_run,          \
            [conv_winograd_4x4] = winograd_4x4_run, \
            [conv_winograd_6x6] = winograd_6x6_run, \
            [conv_phases_4x4] = phases_4x4_run,  \
        },                                       \
  }
