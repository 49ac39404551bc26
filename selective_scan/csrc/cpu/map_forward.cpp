// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "map_steps.h"

namespace selective_scan::cpu {
namespace {

constexpr int64_t kTile = 16;  // steps that forward takes at a time: its arrays stay in cache
static_assert(kMapChunk % kTile == 0);

// What y is before a state adds to it: what is there, or at first the skip, if there is one.
enum class Start { kSum, kSkip, kZero };

// One state over a few steps: h = decay h + step x B, y += C h, with h in `carry`.
template <typename S, Start y_start, typename T>
SCAN_INLINE void recur(const Steps<T, kTile>& at, int64_t n, int64_t rank, int64_t state,
                       const Lanes<T>* step, const Lanes<T>* decay, const T* skip, T* carry,
                       const Sums<T>& y) {
  for (int64_t from = 0; from < kLanes; from += S::strip) {
    typename S::Vector h[S::held];
#pragma GCC unroll 4
    for (int64_t v = 0; v < S::held; ++v) get(h[v], carry + from + v * S::lanes);
    for (int64_t t = 0; t < at.count; ++t) {
      const T B = at.projections[t][rank + n], C = at.projections[t][rank + state + n];
      T* to = y.at(at.positions[t]);
#pragma GCC unroll 4
      for (int64_t v = 0; v < S::held; ++v) {
        const int64_t e = from + v * S::lanes;
        typename S::Vector x, a, d, sum;
        get(x, at.x[t] + e);
        get(a, decay[t] + e);
        get(d, step[t] + e);
        if constexpr (y_start == Start::kSkip) {
          get(sum, skip + e);
          sum *= x;
        } else if constexpr (y_start == Start::kSum) {
          get(sum, to + e);
        }
        h[v] = a * h[v] + d * x * B;
        if constexpr (y_start == Start::kZero) {  // a skip of zero would make NaN of infinite x
          sum = h[v] * C;
        } else {
          sum += h[v] * C;
        }
        put(to + e, sum);
      }
    }
#pragma GCC unroll 4
    for (int64_t v = 0; v < S::held; ++v) put(carry + from + v * S::lanes, h[v]);
  }
}

template <typename S, typename T>
SCAN_INLINE void forward(const MapScan<T>& s, const MapForward<T>& out, int64_t batch,
                         int64_t block, T* scratch) {
  alignas(64) Lanes<T> step[kTile], decay[kTile];
  Steps<T, kTile> at;
  T* x_scratch = scratch;
  T* projection_scratch = x_scratch + kTile * kLanes;
  T* carry = projection_scratch + kTile * s.projected();  // (state, kLanes)
  const Sums<T> y = sums(s, out.y, batch, block, carry + s.state * kLanes);

  for (const int64_t route : kOrder) {
    const int64_t packed = block * kRoutes + route;
    const T* A = s.A + packed * s.state * kLanes;
    const auto keep = [&](int64_t chunk) {
      const int64_t kept = ((batch * kRoutes + route) * (s.chunks + 1) + chunk) * s.state;
      for (int64_t n = 0; n < s.state; ++n) {
        T* to = out.states + (kept + n) * s.channels + block * kLanes;
        std::copy_n(carry + n * kLanes, s.lanes(block), to);
      }
    };
    std::fill_n(carry, s.state * kLanes, T(0));
    for (int64_t start = 0; start < s.length(); start += kTile) {
      if (start % kMapChunk == 0) keep(start / kMapChunk);
      read(s, batch, block, route, start, at, x_scratch, projection_scratch);
      step_sizes<S, false>(s, s.weight + packed * s.rank * kLanes, s.bias + packed * kLanes, at,
                           step, static_cast<Lanes<T>*>(nullptr));
      for (int64_t n = 0; n < s.state; ++n) {
        decays(step, A + n * kLanes, at.count, decay);
        const T* skip = s.skip ? s.skip + block * kLanes : nullptr;
        T* carry_n = carry + n * kLanes;
        if (route != kOrder[0] || n > 0) {
          recur<S, Start::kSum>(at, n, s.rank, s.state, step, decay, skip, carry_n, y);
        } else if (skip) {
          recur<S, Start::kSkip>(at, n, s.rank, s.state, step, decay, skip, carry_n, y);
        } else {
          recur<S, Start::kZero>(at, n, s.rank, s.state, step, decay, skip, carry_n, y);
        }
      }
    }
    keep(s.chunks);
  }
  finish(s, y, out.y, batch, block);
}

}  // namespace

template <typename T>
int64_t forward_scratch(const MapScan<T>& s, const MapForward<T>& out) {
  return kTile * (kLanes + s.projected()) + s.state * kLanes + sums_scratch(s, out.y);
}

template int64_t forward_scratch(const MapScan<float>&, const MapForward<float>&);
template int64_t forward_scratch(const MapScan<double>&, const MapForward<double>&);

#define SCAN_FORWARD(T, suffix, target, width)                                                     \
  target static void forward_block##suffix(const MapScan<T>& s, const MapForward<T>& out,          \
                                           int64_t batch, int64_t block, T* scratch) {             \
    forward<Simd<T, width>>(s, out, batch, block, scratch);                                        \
  }

SCAN_VERSIONS(SCAN_FORWARD, float)
SCAN_VERSIONS(SCAN_FORWARD, double)

void forward_block(const MapScan<float>& s, const MapForward<float>& out, int64_t batch,
                   int64_t block, float* scratch) {
  SCAN_CHOOSE(forward_block, s, out, batch, block, scratch);
}

void forward_block(const MapScan<double>& s, const MapForward<double>& out, int64_t batch,
                   int64_t block, double* scratch) {
  SCAN_CHOOSE(forward_block, s, out, batch, block, scratch);
}

}  // namespace selective_scan::cpu
