// The table of an instruction set's convolution kernels.
#pragma once
#include "convolution_few_channels.h"
#include "convolution_strided.h"

#define CONV_KERNELS                                 \
  {                                                  \
    .vector_floats = vector_floats,                  \
    .panel_floats = panel_floats,                    \
    .tile_rows = tile_rows,                          \
    .pack =                                          \
        {                                            \
            [conv_direct] = direct_pack,             \
            [conv_few_inputs] = few_inputs_pack,     \
            [conv_few_outputs] = few_outputs_pack,   \
            [conv_winograd_2x2] = winograd_2x2_pack, \
            [conv_winograd_4x4] = winograd_4x4_pack, \
            [conv_winograd_6x6] = winograd_6x6_pack, \
            [conv_phases_4x4] = phases_4x4_pack,     \
            [conv_strided_4x4] = strided_pack,       \
        },                                           \
    .run =                                           \
        {                                            \
            [conv_direct] = direct_run,              \
            [conv_few_inputs] = few_inputs_run,      \
            [conv_few_outputs] = few_outputs_run,    \
            [conv_winograd_2x2] = winograd_2x2_run,  \
            [conv_winograd_4x4] = winograd_4x4_run,  \
            [conv_winograd_6x6] = winograd_6x6_run,  \
            [conv_phases_4x4] = phases_4x4_run,      \
            [conv_strided_4x4] = strided_run,        \
        },                                           \
  }
