// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The scan of one block of neighbouring channels of one map, along all four routes. Channels-last
// maps keep a block's channels of one position together, so that lanes are channels and a route is
// walked in place. A block is the unit of work that ss2d.cpp shares out among threads.
#pragma once

#include <cstdint>

#include "kernels.h"

namespace selective_scan::cpu {

constexpr int64_t kLanes = 64;  // channels of a block; the last may have fewer

// Weights are packed by block, padded with zeros to whole blocks. T is the type of the state.
template <typename T>
struct MapScan {
  int64_t height, width, channels, blocks, rank, state, chunks;
  Input x, projections;  // contiguous
  const T* weight;       // (blocks, routes, rank, kLanes)
  const T* A;            // (blocks, routes, state, kLanes)
  const T* bias;         // (blocks, routes, kLanes)
  const T* skip;         // null, or (blocks, kLanes): the sum of D over the routes
  bool softplus;

  int64_t length() const { return height * width; }
  int64_t projected() const { return rank + 2 * state; }
  int64_t lanes(int64_t block) const {  // channels in use
    return channels - block * kLanes < kLanes ? channels - block * kLanes : kLanes;
  }
};

template <typename T>
struct MapForward {
  Output y;   // (batch, height, width, channels)
  T* states;  // (batch, routes, chunks + 1, state, channels)
};

template <typename T>
struct MapBackward {
  Input dy;
  const T* states;
  Output dx;
  const T* weight;  // the transposed weights: (blocks, routes, kLanes, padded_rank<T>(rank))
  // One of each for every batch entry, packed like the weights; summed afterwards. dskip is that
  // of each route's D, null without D.
  T *dweight, *dA, *dbias, *dskip;
};

// The rank rounded up to whole vector registers at their widest.
template <typename T>
int64_t padded_rank(int64_t rank) {
  constexpr int64_t values = 64 / sizeof(T);
  return (rank + values - 1) / values * values;
}

// Values of scratch that a call needs.
template <typename T>
int64_t forward_scratch(const MapScan<T>& s, const MapForward<T>& out);
template <typename T>
int64_t backward_scratch(const MapScan<T>& s, const MapBackward<T>& io);

void forward_block(const MapScan<float>&, const MapForward<float>&, int64_t batch, int64_t block,
                   float* scratch);
void forward_block(const MapScan<double>&, const MapForward<double>&, int64_t batch, int64_t block,
                   double* scratch);

// Adds to dprojections, (height, width, routes, rank + 2 * state).
void backward_block(const MapScan<float>&, const MapBackward<float>&, int64_t batch, int64_t block,
                    float* dprojections, float* scratch);
void backward_block(const MapScan<double>&, const MapBackward<double>&, int64_t batch,
                    int64_t block, double* dprojections, double* scratch);

}  // namespace selective_scan::cpu
