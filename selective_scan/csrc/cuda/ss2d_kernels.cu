// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// ss2d_scan. A thread takes one channel of a chunk of one route and walks it step by step, so that
// neighbouring threads read neighbouring channels whatever the route's direction. Chunks run side
// by side, joined as in scan_kernels.cu. The routes that write one map are launched one after the
// other: their sum has one order and needs no second map. Steps are taken kGroup at a time, and
// their projections, which all threads share, pass through shared memory.
#include "common.cuh"
#include "../sizes.h"

namespace selective_scan::cuda {
namespace {

constexpr int kGroup = 8;
constexpr int kGroups = kMapChunk / kGroup;
static_assert(kMapChunk % kGroup == 0, "a chunk is whole groups");
constexpr int kThreads = kMapThreads;
constexpr int kWarps = kThreads / kWarp;
// Blocks that a multiprocessor should hold at once: left alone, nvcc aims for more and spills.
constexpr int kWalkBlocks = 5;
constexpr int kValues = 2 * kGroup;  // dB and dC of the steps of a group
static_assert(kValues == kWarp / 2, "warp_sums leaves one value with every pair of lanes");

// States that a block works on in one pass, as many as shared memory comfortably holds.
constexpr int kForwardTile = 16;
template <typename T>
constexpr int kBackwardTile = sizeof(T) == 8 ? 2 : 4;

template <typename T>
__host__ __device__ constexpr int64_t backward_values() {
  // Kept states, carry, dA for every thread; parts of dB and dC for every warp.
  return kBackwardTile<T> * ((kGroups + 2) * kThreads + kValues * kWarps);
}

// The chunk and channel of a thread.
struct Place {
  int64_t batch, chunk, block, channel;
  int route;
  bool exists;  // a thread past the last channel repeats that channel, and writes nothing
};

// Blocks are numbered by batch, route unless it is given, chunk, and channels.
template <typename T>
__device__ inline Place place(const MapScan<T>& s, int route) {
  Place p;
  const int64_t blocks = (s.channels + kThreads - 1) / kThreads;
  int64_t index = blockIdx.x;
  p.block = index % blocks;
  index /= blocks;
  p.chunk = index % s.chunks;
  index /= s.chunks;
  p.route = route < 0 ? static_cast<int>(index % kRoutes) : route;
  p.batch = route < 0 ? index / kRoutes : index;
  p.channel = p.block * kThreads + threadIdx.x;
  p.exists = p.channel < s.channels;
  if (!p.exists) p.channel = s.channels - 1;
  return p;
}

// Where in the map, batch included, a route is at step t.
template <typename T>
__device__ inline int64_t position(const MapScan<T>& s, const Place& p, int64_t t) {
  const int64_t length = s.height * s.width;
  if (p.route >= 2) t = length - 1 - t;
  if (p.route % 2 == 1) t = t % s.height * s.width + t / s.height;
  return p.batch * length + t;
}

// Steps of group g of the chunk that exist.
template <typename T>
__device__ inline int steps_of(const MapScan<T>& s, const Place& p, int g) {
  const int64_t left = s.height * s.width - p.chunk * kMapChunk - g * kGroup;
  return static_cast<int>(left < 0 ? 0 : left < kGroup ? left : kGroup);
}

// Shared memory starts with the positions of a group's steps. Each is worked out once, as its
// divisions would cost more than the scan.
__device__ inline int64_t* positions() { return reinterpret_cast<int64_t*>(scratch); }

template <typename T>
__device__ inline T* after_positions() {
  return reinterpret_cast<T*>(positions() + kGroup);
}

// The positions of a group, and its projections, [kGroup][rank + 2 * state], to shared memory; zero
// past the end.
template <typename T>
__device__ inline void stage(const MapScan<T>& s, const Place& p, int g, T* projected) {
  const int width = static_cast<int>(s.rank + 2 * s.state), count = steps_of(s, p, g);
  const int thread = threadIdx.x;
  __syncthreads();  // all threads are done with the group before
  if (thread < kGroup) {
    positions()[thread] =
        thread < count ? position(s, p, p.chunk * kMapChunk + g * kGroup + thread) : 0;
  }
  __syncthreads();
  for (int i = thread; i < kGroup * width; i += kThreads) {
    const int j = i / width;
    const int64_t at = (positions()[j] * kRoutes + p.route) * width + i % width;
    projected[i] = j < count ? load<T>(s.projections, at) : T(0);
  }
  __syncthreads();
}

template <typename T>
struct StepSizes {
  T step[kGroup], derivative[kGroup];
};

// The step sizes of a staged group and their derivatives; zero, which leaves the state as it is,
// past the end.
template <typename T>
__device__ inline StepSizes<T> step_sizes(const MapScan<T>& s, const Place& p, int count,
                                          const T* projected) {
  const int64_t width = s.rank + 2 * s.state;
  const T* weight = s.dt_weight + p.route * s.rank * s.channels + p.channel;
  const T bias = s.delta_bias ? s.delta_bias[p.route * s.channels + p.channel] : T(0);
  StepSizes<T> sizes;
#pragma unroll
  for (int j = 0; j < kGroup; ++j) sizes.step[j] = bias;
  for (int64_t r = 0; r < s.rank; ++r) {
    const T w = weight[r * s.channels];
#pragma unroll
    for (int j = 0; j < kGroup; ++j) sizes.step[j] += w * projected[j * width + r];
  }
#pragma unroll
  for (int j = 0; j < kGroup; ++j) {
    const T value = sizes.step[j];
    sizes.derivative[j] = s.softplus ? sigmoid(value) : T(1);
    sizes.step[j] = j < count ? (s.softplus ? softplus(value) : value) : T(0);
  }
  return sizes;
}

// This channel of the map at the steps of the staged group g; zero past the end.
template <typename T>
__device__ inline void load_map(const MapScan<T>& s, const Place& p, int g, const Input& map,
                                T (&to)[kGroup]) {
  const int count = p.exists ? steps_of(s, p, g) : 0;
#pragma unroll
  for (int j = 0; j < kGroup; ++j) {
    to[j] = j < count ? load<T>(map, positions()[j] * s.channels + p.channel) : T(0);
  }
}

template <typename T>
__device__ inline T decay_of(T step, T A) {
  return exp2_of(step * T(kLog2E) * A);
}

// That of step j of a staged group; one, whatever A is, past the end.
template <typename T>
__device__ inline T decay_at(int j, int count, T step, T A) {
  return j < count ? decay_of(step, A) : T(1);
}

template <typename T>
__device__ inline T A_of(const MapScan<T>& s, const Place& p, int64_t n) {
  return s.A[(p.route * s.channels + p.channel) * s.state + n];
}

// Into states: of (batch, routes, chunks + `kept`, state, channels).
template <typename T>
__device__ inline int64_t state_at(const MapScan<T>& s, const Place& p, int64_t kept, int64_t chunk,
                                   int64_t n) {
  const int64_t route = p.batch * kRoutes + p.route;
  return ((route * (s.chunks + kept) + chunk) * s.state + n) * s.channels + p.channel;
}

template <typename T>
__device__ inline int64_t sum_at(const MapScan<T>& s, const Place& p) {
  return ((p.batch * kRoutes + p.route) * s.chunks + p.chunk) * s.channels + p.channel;
}

// One pass along every chunk. Without outputs, of all routes: the states that chunks end in if they
// start from zero, to states[chunk + 1], and their step sizes added up. With outputs, of one route:
// from the states that enter.
template <typename T, bool outputs>
__global__ void __launch_bounds__(kThreads, kWalkBlocks)
    walk_forward(MapScan<T> s, MapResults<T> out, int route) {
  const Place p = place(s, route);
  const int64_t width = s.rank + 2 * s.state;
  T* projected = after_positions<T>();
  T* h = projected + kGroup * width + threadIdx.x;  // [kForwardTile][kThreads]
  const T skip = s.D ? s.D[p.route * s.channels + p.channel] : T(0);

  for (int64_t first = 0; first < s.state; first += kForwardTile) {
    const int states =
        static_cast<int>(first + kForwardTile < s.state ? kForwardTile : s.state - first);
    for (int n = 0; n < states; ++n) {
      h[n * kThreads] = outputs ? out.states[state_at(s, p, 1, p.chunk, first + n)] : T(0);
    }
    T sum = T(0);
    for (int g = 0; g < kGroups && steps_of(s, p, g) > 0; ++g) {
      const int count = steps_of(s, p, g);
      stage(s, p, g, projected);
      const StepSizes<T> sizes = step_sizes(s, p, count, projected);
      T x[kGroup], y[kGroup];
      load_map(s, p, g, s.x, x);
#pragma unroll
      for (int j = 0; j < kGroup; ++j) {
        sum += sizes.step[j];
        y[j] = s.D && first == 0 ? skip * x[j] : T(0);  // zero times an infinite x would be NaN
        x[j] *= sizes.step[j];
      }
      for (int n = 0; n < states; ++n) {
        const T A = A_of(s, p, first + n);
        const T* B = projected + s.rank + first + n;
        T state = h[n * kThreads];
#pragma unroll
        for (int j = 0; j < kGroup; ++j) {
          state = decay_at(j, count, sizes.step[j], A) * state + x[j] * B[j * width];
          if constexpr (outputs) y[j] += B[j * width + s.state] * state;
        }
        h[n * kThreads] = state;
      }
      if constexpr (outputs) {
        const bool fresh = p.route == 0 && first == 0;
        const bool done = p.route == kRoutes - 1 && first + states == s.state;
#pragma unroll
        for (int j = 0; j < kGroup; ++j) {
          if (j >= count || !p.exists) continue;
          const int64_t at = positions()[j] * s.channels + p.channel;
          const T total = (fresh ? T(0) : out.total[at]) + y[j];
          if (done) {
            store(out.y, at, total);
          } else {
            out.total[at] = total;
          }
        }
      }
    }
    if constexpr (!outputs) {
      for (int n = 0; n < (p.exists ? states : 0); ++n) {
        out.states[state_at(s, p, 1, p.chunk + 1, first + n)] = h[n * kThreads];
      }
      if (p.exists && first == 0) out.sums[sum_at(s, p)] = sum;
    }
  }
}

// The channel, state and route of a thread that joins chunks; `chunk` and `block` are not used.
template <typename T>
__device__ inline Place join_place(const MapScan<T>& s, int64_t* n) {
  int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  Place p = {};
  p.channel = index % s.channels;
  index /= s.channels;
  *n = index % s.state;
  index /= s.state;
  p.route = static_cast<int>(index % kRoutes);
  p.batch = index / kRoutes;
  p.exists = p.batch < s.batch;
  return p;
}

// kGroup chunks are read before any is written, as each read would otherwise wait for the one
// before it.
template <typename T>
__global__ void __launch_bounds__(kThreads) join_forward(MapScan<T> s, MapResults<T> out) {
  int64_t n;
  Place p = join_place(s, &n);
  if (!p.exists) return;
  const T A = A_of(s, p, n);
  T h = T(0);
  out.states[state_at(s, p, 1, 0, n)] = h;
  for (int64_t first = 0; first < s.chunks; first += kGroup) {
    Step<T> steps[kGroup];
#pragma unroll
    for (int j = 0; j < kGroup; ++j) {
      p.chunk = first + j;
      if (p.chunk < s.chunks) {
        steps[j] = {decay_of(out.sums[sum_at(s, p)], A),
                    out.states[state_at(s, p, 1, p.chunk + 1, n)]};
      }
    }
#pragma unroll
    for (int j = 0; j < kGroup; ++j) {
      p.chunk = first + j;
      if (p.chunk < s.chunks) {
        h = advance(steps[j], h);
        out.states[state_at(s, p, 1, p.chunk + 1, n)] = h;
      }
    }
  }
}

// Of all routes: what chunks pass on to the chunk before if nothing enters them from behind, to
// carries[chunk], and their step sizes added up.
template <typename T>
__global__ void __launch_bounds__(kThreads, kWalkBlocks)
    walk_backward(MapScan<T> s, MapGradients<T> io) {
  const Place p = place(s, -1);
  const int64_t width = s.rank + 2 * s.state;
  T* projected = after_positions<T>();
  T* carry = projected + kGroup * width + threadIdx.x;  // [kForwardTile][kThreads]

  for (int64_t first = 0; first < s.state; first += kForwardTile) {
    const int states =
        static_cast<int>(first + kForwardTile < s.state ? kForwardTile : s.state - first);
    for (int n = 0; n < states; ++n) carry[n * kThreads] = T(0);
    T sum = T(0);
    for (int g = kGroups - 1; g >= 0; --g) {
      const int count = steps_of(s, p, g);
      if (count == 0) continue;
      stage(s, p, g, projected);
      const StepSizes<T> sizes = step_sizes(s, p, count, projected);
      T dy[kGroup];
      load_map(s, p, g, io.dy, dy);
#pragma unroll
      for (int j = 0; j < kGroup; ++j) sum += sizes.step[j];
      for (int n = 0; n < states; ++n) {
        const T A = A_of(s, p, first + n);
        const T* C = projected + s.rank + s.state + first + n;
        T c = carry[n * kThreads];
#pragma unroll
        for (int j = kGroup - 1; j >= 0; --j) {
          c = decay_at(j, count, sizes.step[j], A) * (C[j * width] * dy[j] + c);
        }
        carry[n * kThreads] = c;
      }
    }
    if (!p.exists) continue;
    for (int n = 0; n < states; ++n) {
      io.carries[state_at(s, p, 0, p.chunk, first + n)] = carry[n * kThreads];
    }
    if (first == 0) io.sums[sum_at(s, p)] = sum;
  }
}

// From what chunks pass on alone to what enters each from the one behind it, in place.
template <typename T>
__global__ void __launch_bounds__(kThreads) join_backward(MapScan<T> s, MapGradients<T> io) {
  int64_t n;
  Place p = join_place(s, &n);
  if (!p.exists) return;
  const T A = A_of(s, p, n);
  T carry = T(0);
  for (int64_t first = s.chunks - 1; first >= 0; first -= kGroup) {
    Step<T> steps[kGroup];
#pragma unroll
    for (int j = 0; j < kGroup; ++j) {
      p.chunk = first - j;
      if (p.chunk >= 0) {
        steps[j] = {decay_of(io.sums[sum_at(s, p)], A), io.carries[state_at(s, p, 0, p.chunk, n)]};
      }
    }
#pragma unroll
    for (int j = 0; j < kGroup; ++j) {
      p.chunk = first - j;
      if (p.chunk >= 0) {
        io.carries[state_at(s, p, 0, p.chunk, n)] = carry;
        carry = advance(steps[j], carry);
      }
    }
  }
}

// Adds each of kValues values up over the lanes of a warp; lanes 2i and 2i + 1 get the sum of
// values[i]. Lanes halve what they hold as they pair up, which takes a fifth of the shuffles of one
// sum after the other. A template, as only a constant index keeps an array in registers.
template <int half = kValues / 2, typename T>
__device__ inline T warp_sums(T (&values)[kValues]) {
  if constexpr (half == 0) {
    return values[0] + __shfl_xor_sync(kAllLanes, values[0], 1);
  } else {
    constexpr int offset = 2 * half;
    const bool upper = threadIdx.x % kWarp & offset;
#pragma unroll
    for (int i = 0; i < half; ++i) {
      const T sent = upper ? values[i] : values[i + half];
      const T kept = upper ? values[i + half] : values[i];
      values[i] = kept + __shfl_xor_sync(kAllLanes, sent, offset);
    }
    return warp_sums<half / 2>(values);
  }
}

template <typename T>
__device__ inline void add_up(T* at, T value, bool fresh) {
  *at = fresh ? value : *at + value;
}

// The gradients that one route gives.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    route_gradients(MapScan<T> s, MapGradients<T> io, int route) {
  constexpr int tile = kBackwardTile<T>;
  const Place p = place(s, route);
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const int64_t width = s.rank + 2 * s.state;
  T* parts = after_positions<T>();                             // [tile][kValues][kWarps]
  T* kept = parts + tile * kValues * kWarps + threadIdx.x;     // [kGroups][tile][kThreads]
  T* carry = kept + kGroups * tile * kThreads;                 // [tile][kThreads]
  T* dA = carry + tile * kThreads;                             // [tile][kThreads]
  T* projected = after_positions<T>() + backward_values<T>();  // [kGroup][width]
  const T skip = s.D ? s.D[p.route * s.channels + p.channel] : T(0);
  T dD = T(0), dbias = T(0);

  for (int64_t first = 0; first < s.state; first += tile) {
    const int states = static_cast<int>(first + tile < s.state ? tile : s.state - first);
    for (int n = 0; n < states; ++n) {
      kept[n * kThreads] = io.states[state_at(s, p, 1, p.chunk, first + n)];
      carry[n * kThreads] = io.carries[state_at(s, p, 0, p.chunk, first + n)];
      dA[n * kThreads] = T(0);
    }
    // The state before each group, from which the way back recomputes those inside it.
    for (int g = 0; g + 1 < kGroups && steps_of(s, p, g + 1) > 0; ++g) {
      stage(s, p, g, projected);
      const StepSizes<T> sizes = step_sizes(s, p, kGroup, projected);
      T x[kGroup];
      load_map(s, p, g, s.x, x);
      for (int n = 0; n < states; ++n) {
        const T A = A_of(s, p, first + n);
        const T* B = projected + s.rank + first + n;
        T state = kept[(g * tile + n) * kThreads];
#pragma unroll
        for (int j = 0; j < kGroup; ++j) {
          state = decay_of(sizes.step[j], A) * state + sizes.step[j] * x[j] * B[j * width];
        }
        kept[((g + 1) * tile + n) * kThreads] = state;
      }
    }

    for (int g = kGroups - 1; g >= 0; --g) {
      const int count = steps_of(s, p, g);
      if (count == 0) continue;
      stage(s, p, g, projected);
      const StepSizes<T> sizes = step_sizes(s, p, count, projected);
      T x[kGroup], dy[kGroup], dinput[kGroup] = {}, dstep[kGroup] = {};
      load_map(s, p, g, s.x, x);
      load_map(s, p, g, io.dy, dy);
      for (int n = 0; n < states; ++n) {
        const T A = A_of(s, p, first + n);
        const T* B = projected + s.rank + first + n;
        T before[kGroup], decay[kGroup], values[kValues];
        T state = kept[(g * tile + n) * kThreads];
#pragma unroll
        for (int j = 0; j < kGroup; ++j) {
          before[j] = state;
          decay[j] = decay_at(j, count, sizes.step[j], A);
          state = decay[j] * state + sizes.step[j] * x[j] * B[j * width];
          values[kGroup + j] = p.exists ? dy[j] * state : T(0);
        }
        T c = carry[n * kThreads], dA_sum = T(0);
#pragma unroll
        for (int j = kGroup - 1; j >= 0; --j) {
          const T gradient = B[j * width + s.state] * dy[j] + c;
          const T dlog_decay = gradient * before[j] * decay[j];
          c = decay[j] * gradient;
          dA_sum += dlog_decay * sizes.step[j];
          dstep[j] += dlog_decay * A;
          dinput[j] += gradient * B[j * width];
          // A thread past the last channel has zeros, which infinite others would make NaN.
          values[j] = p.exists ? gradient * sizes.step[j] * x[j] : T(0);
        }
        carry[n * kThreads] = c;
        dA[n * kThreads] += dA_sum;
        const T sum = warp_sums(values);
        if (lane % 2 == 0) parts[(n * kValues + lane / 2) * kWarps + warp] = sum;
      }
      __syncthreads();
      for (int i = threadIdx.x; i < states * kValues; i += kThreads) {
        const int n = i / kValues, j = i % kGroup, which = i % kValues / kGroup;
        if (j >= count) continue;
        T sum = T(0);
        for (int w = 0; w < kWarps; ++w) sum += parts[i * kWarps + w];
        const int64_t where = p.block * s.batch * s.height * s.width + positions()[j];
        io.dBC[where * 2 * s.state + which * s.state + first + n] = sum;
      }
      if (!p.exists) continue;
      const bool done = p.route == kRoutes - 1 && first + states == s.state;
#pragma unroll
      for (int j = 0; j < kGroup; ++j) {
        if (j >= count) continue;
        const int64_t at = positions()[j] * s.channels + p.channel;
        const T ddelta = (dstep[j] + dinput[j] * x[j]) * sizes.derivative[j];
        T dx = dinput[j] * sizes.step[j];
        if (s.D && first == 0) {  // zero times an infinite gradient would be NaN
          dx += skip * dy[j];
          dD += dy[j] * x[j];
        }
        dbias += ddelta;
        add_up(io.ddelta + at, ddelta, first == 0);
        if (p.route > 0 || first > 0) dx += io.dx_total[at];
        if (done) {
          store(io.dx, at, dx);
        } else {
          io.dx_total[at] = dx;
        }
      }
    }
    if (!p.exists) continue;
    const int64_t chunk = (p.batch * s.chunks + p.chunk) * kRoutes + p.route;
    for (int n = 0; n < states; ++n) {
      io.dA[(chunk * s.state + first + n) * s.channels + p.channel] = dA[n * kThreads];
    }
    if (first + states < s.state) continue;
    if (io.dD) io.dD[chunk * s.channels + p.channel] = dD;
    if (io.ddelta_bias) io.ddelta_bias[chunk * s.channels + p.channel] = dbias;
  }
}

template <typename T>
int64_t route_blocks(const MapScan<T>& s) {
  return s.batch * s.chunks * ceil_div(s.channels, kThreads);
}

template <typename T>
int64_t join_blocks(const MapScan<T>& s) {
  return ceil_div(s.batch * kRoutes * s.state * s.channels, kThreads);
}

template <typename T>
int64_t walk_bytes(const MapScan<T>& s) {
  return kGroup * sizeof(int64_t) +
         (kGroup * (s.rank + 2 * s.state) + kForwardTile * kThreads) * sizeof(T);
}

template <typename T>
int64_t gradient_bytes(const MapScan<T>& s) {
  return kGroup * sizeof(int64_t) +
         (kGroup * (s.rank + 2 * s.state) + backward_values<T>()) * sizeof(T);
}

}  // namespace

template <typename T>
int64_t map_shared_bytes(const MapScan<T>& s) {
  return walk_bytes(s) > gradient_bytes(s) ? walk_bytes(s) : gradient_bytes(s);
}

template <typename T>
cudaError_t map_forward(const MapScan<T>& s, const MapResults<T>& out, cudaStream_t stream) {
  const int64_t bytes = walk_bytes(s);
  cudaError_t error = launch(walk_forward<T, false>, kRoutes * route_blocks(s), kThreads, bytes,
                             stream, s, out, -1);
  if (error == cudaSuccess) {
    error = launch(join_forward<T>, join_blocks(s), kThreads, 0, stream, s, out);
  }
  for (int route = 0; route < kRoutes && error == cudaSuccess; ++route) {
    error = launch(walk_forward<T, true>, route_blocks(s), kThreads, bytes, stream, s, out, route);
  }
  return error;
}

template <typename T>
cudaError_t map_carries(const MapScan<T>& s, const MapGradients<T>& io, cudaStream_t stream) {
  const cudaError_t error =
      launch(walk_backward<T>, kRoutes * route_blocks(s), kThreads, walk_bytes(s), stream, s, io);
  if (error != cudaSuccess) return error;
  return launch(join_backward<T>, join_blocks(s), kThreads, 0, stream, s, io);
}

template <typename T>
cudaError_t map_gradients(const MapScan<T>& s, const MapGradients<T>& io, int route,
                          cudaStream_t stream) {
  return launch(route_gradients<T>, route_blocks(s), kThreads, gradient_bytes(s), stream, s, io,
                route);
}

template int64_t map_shared_bytes(const MapScan<float>&);
template int64_t map_shared_bytes(const MapScan<double>&);
template cudaError_t map_forward(const MapScan<float>&, const MapResults<float>&, cudaStream_t);
template cudaError_t map_forward(const MapScan<double>&, const MapResults<double>&, cudaStream_t);
template cudaError_t map_carries(const MapScan<float>&, const MapGradients<float>&, cudaStream_t);
template cudaError_t map_carries(const MapScan<double>&, const MapGradients<double>&, cudaStream_t);
template cudaError_t map_gradients(const MapScan<float>&, const MapGradients<float>&, int,
                                   cudaStream_t);
template cudaError_t map_gradients(const MapScan<double>&, const MapGradients<double>&, int,
                                   cudaStream_t);

}  // namespace selective_scan::cuda
