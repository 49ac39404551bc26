// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// What the kernels are given, and the functions that launch them on a stream. All tensors are
// contiguous. T is the type of the state. Nothing here or in the kernels uses float atomics: every
// sum has one order, so that repeated runs are bit-identical.
#pragma once

#include <cuda_runtime.h>
#include <cstdint>

#include "../values.h"

namespace selective_scan::cuda {

// Rows that one block of scan_gradients walks one after the other, adding up dB and dC: a multiple
// of these, as few as give kManyBlocks blocks, which fill any device. Each block has a dB and a dC
// of its own, so that more would only take memory.
constexpr int64_t kBlockRows = 32;
constexpr int64_t kManyBlocks = 1024;
// Channels of one block of the map kernels: one thread each.
constexpr int64_t kMapThreads = 128;

template <typename T>
struct Scan {
  int64_t batch, channels, length, state, groups, rows, chunks;
  Input u, delta, B, C;
  const T *A, *D, *delta_bias;  // D and delta_bias may be null
  bool softplus;
  bool aligned;  // four values at once may be read from, and written to, any row of any tensor
};

template <typename T>
struct ScanResults {
  Output y;
  T* last;    // (batch, channels, state)
  T* states;  // (batch, channels, chunks + 1, state)
  T* sums;    // (batch, channels, chunks): scratch, the step sizes of a chunk added up
};

template <typename T>
struct ScanGradients {
  Input dy;
  const T* dlast;   // null, or (batch, channels, state)
  const T* states;  // (batch, channels, chunks + 1, state)
  T* carries;       // (batch, channels, chunks, state): scratch, what enters a chunk from behind
  T* sums;          // (batch, channels, chunks): scratch
  Output du, ddelta;
  int64_t block_rows;   // rows that a block walks
  T *dB, *dC;           // (row blocks of a group, batch, groups, state, length), summed afterwards
  T* dA;                // (batch, chunks, channels, state), summed afterwards
  T *dD, *ddelta_bias;  // (batch, chunks, channels), summed afterwards; may be null
};

template <typename T>
cudaError_t scan_forward(const Scan<T>&, const ScanResults<T>&, cudaStream_t);
template <typename T>
cudaError_t scan_backward(const Scan<T>&, const ScanGradients<T>&, cudaStream_t);

template <typename T>
struct MapScan {
  int64_t batch, height, width, channels, rank, state, chunks;
  Input x, projections;
  const T* dt_weight;  // (routes, rank, channels): turned, so that neighbours read together
  const T *A, *D, *delta_bias;  // D and delta_bias may be null
  bool softplus;
};

template <typename T>
struct MapResults {
  Output y;
  T* total;   // (batch, height, width, channels): the routes so far; y itself where types agree
  T* states;  // (batch, routes, chunks + 1, state, channels)
  T* sums;    // (batch, routes, chunks, channels): scratch
};

template <typename T>
struct MapGradients {
  Input dy;
  const T* states;  // (batch, routes, chunks + 1, state, channels)
  T* carries;       // (batch, routes, chunks, state, channels): scratch
  T* sums;          // (batch, routes, chunks, channels): scratch
  Output dx;
  T* dx_total;          // (batch, height, width, channels): the routes so far; dx where types agree
  T* ddelta;            // (batch, height, width, channels): of the route at hand
  T* dBC;               // (channel blocks, batch, height, width, 2 * state): of the route at hand
  T* dA;                // (batch, chunks, routes, state, channels), summed afterwards
  T *dD, *ddelta_bias;  // (batch, chunks, routes, channels), summed afterwards; may be null
};

template <typename T>
cudaError_t map_forward(const MapScan<T>&, const MapResults<T>&, cudaStream_t);
// Prepares `carries`; then one call of map_gradients for each route, 0 first and 3 last.
template <typename T>
cudaError_t map_carries(const MapScan<T>&, const MapGradients<T>&, cudaStream_t);
template <typename T>
cudaError_t map_gradients(const MapScan<T>&, const MapGradients<T>&, int route, cudaStream_t);

// Bytes of shared memory that the hungriest map kernel needs; more than kSharedBytes cannot be had.
constexpr int64_t kSharedBytes = 48 * 1024;
template <typename T>
int64_t map_shared_bytes(const MapScan<T>&);

}  // namespace selective_scan::cuda
