// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The scan of one tile: a few neighbouring channels of one batch entry and one group, over all of
// the length. A tile is the unit of work that scan.cpp shares out among threads.
#pragma once

#include <cstdint>

#include "../values.h"

namespace selective_scan::cpu {

// Channels of a tile. Their recurrences are independent, so that stepping them side by side hides
// the latency of each.
constexpr int64_t kRows = 8;

// All tensors are contiguous. T is the type of the state.
template <typename T>
struct Scan {
  int64_t channels, length, state, groups, rows, chunks;
  Input u, delta, B, C;
  const T *A, *D, *delta_bias;  // D and delta_bias may be null
  bool softplus;
};

template <typename T>
struct ForwardOut {
  Output y;
  T* last;    // (batch, channels, state)
  T* states;  // (batch, channels, chunks + 1, state): before each chunk, and after the last
};

template <typename T>
struct BackwardIo {
  Input dy;
  const T* dlast;  // null, or (batch, channels, state)
  const T* states;
  Output du, ddelta;
  // One of each for every batch entry; summed afterwards. dD and dbias are null where D and
  // delta_bias are.
  T *dA, *dD, *dbias;
};

// `count` channels, at most kRows, from `channel` on.
struct Tile {
  int64_t batch, group, channel, count;
};

void forward_tile(const Scan<float>&, const ForwardOut<float>&, const Tile&);
void forward_tile(const Scan<double>&, const ForwardOut<double>&, const Tile&);

// Adds to dB and dC, (state, length). `carry`, (kRows, state), is scratch.
void backward_tile(const Scan<float>&, const BackwardIo<float>&, const Tile&, float* dB, float* dC,
                   float* carry);
void backward_tile(const Scan<double>&, const BackwardIo<double>&, const Tile&, double* dB,
                   double* dC, double* carry);

// 0, 1 or 2: plain code, AVX2 or AVX-512 is what runs; the best that the machine has, or what the
// environment variable SELECTIVE_SCAN_CPU_CAPABILITY asks for, as tests of the others do.
int64_t capability();

}  // namespace selective_scan::cpu
