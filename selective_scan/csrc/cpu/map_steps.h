// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// What forward and backward of the map scan share: walking a route in place, the step sizes, and
// sums over the routes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "../checks.h"
#include "map_kernels.h"
#include "simd.h"

#if !defined(__GNUC__)
#error "the CPU kernels of selective_scan need GCC or Clang, for their vector types"
#endif
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // everything that takes a vector is inlined
#endif

namespace selective_scan::cpu {

// Vector registers of `width` bytes, and how many of each operand a kernel can hold at a time.
template <typename T, int width>
struct Register;
template <int width>
struct Register<float, width> {
  typedef float Type __attribute__((vector_size(width)));
  typedef int32_t Mask __attribute__((vector_size(width)));
};
template <int width>
struct Register<double, width> {
  typedef double Type __attribute__((vector_size(width)));
  typedef int64_t Mask __attribute__((vector_size(width)));
};

template <typename T, int width>
struct Simd {
  using Value = T;
  using Vector = typename Register<T, width>::Type;
  using Mask = typename Register<T, width>::Mask;
  static constexpr int64_t lanes = width / sizeof(T);
  static constexpr int64_t held = width == 64 ? 4 : 2;  // 32 registers with AVX-512, else 16
  static constexpr int64_t strip = held * lanes;        // channels
  static_assert(kLanes % strip == 0);
};

// The two routes of one direction after each other: where one ends, its reverse begins.
inline constexpr int64_t kOrder[kRoutes] = {0, 2, 1, 3};

template <typename T>
using Lanes = T[kLanes];

template <typename Vector, typename T>
SCAN_INLINE void get(Vector& v, const T* from) {
  std::memcpy(&v, from, sizeof(v));
}

template <typename Vector, typename T>
SCAN_INLINE void put(T* to, const Vector& v) {
  std::memcpy(to, &v, sizeof(v));
}

// The positions (row * width + column) of `count` steps of a route, from step `start` on.
template <typename T>
SCAN_INLINE void walk(const MapScan<T>& s, int64_t route, int64_t start, int64_t count,
                      int64_t* positions) {
  const bool by_columns = route & 1, reversed = route & 2;
  const int64_t step = reversed ? -1 : 1;
  int64_t at = reversed ? s.length() - 1 - start : start;
  if (!by_columns) {
    for (int64_t t = 0; t < count; ++t, at += step) positions[t] = at;
    return;
  }
  int64_t row = at % s.height, column = at / s.height;
  for (int64_t t = 0; t < count; ++t) {
    positions[t] = row * s.width + column;
    row += step;
    if (row == s.height) row = 0, ++column;
    if (row < 0) row = s.height - 1, --column;
  }
}

// `count` neighbouring values as a whole block: in place if possible, else in `scratch`.
template <typename T>
SCAN_INLINE const T* load_lanes(const Input& in, int64_t offset, int64_t count, T* scratch) {
  const T* from = load(in, offset, count, scratch);
  if (count == kLanes) return from;
  if (from != scratch) std::copy_n(from, count, scratch);
  std::fill(scratch + count, scratch + kLanes, T(0));
  return scratch;
}

// A few steps of a route: where they are, and what was read there.
template <typename T, int64_t steps>
struct Steps {
  int64_t count;
  int64_t positions[steps];
  const T* x[steps];
  const T* projections[steps];  // [dt | B | C] of the route
};

template <typename T, int64_t steps>
SCAN_INLINE void read(const MapScan<T>& s, int64_t batch, int64_t block, int64_t route,
                      int64_t start, Steps<T, steps>& to, T* x_scratch, T* projection_scratch) {
  to.count = std::min(steps, s.length() - start);
  walk(s, route, start, to.count, to.positions);
  for (int64_t t = 0; t < to.count; ++t) {
    const int64_t at = batch * s.length() + to.positions[t];
    to.x[t] =
        load_lanes(s.x, at * s.channels + block * kLanes, s.lanes(block), x_scratch + t * kLanes);
    to.projections[t] = load(s.projections, (at * kRoutes + route) * s.projected(), s.projected(),
                             projection_scratch + t * s.projected());
  }
  // Step sizes are made for several steps at a time, the last of which may repeat.
  std::fill(to.projections + to.count, to.projections + steps, to.projections[to.count - 1]);
}

// The step sizes, <weight, dt> + bias, through softplus or not, and for backward the derivatives of
// softplus.
template <typename S, bool with_derivative, typename T, int64_t steps>
SCAN_INLINE void step_sizes(const MapScan<T>& s, const T* weight, const T* bias,
                            const Steps<T, steps>& at, Lanes<T>* step, Lanes<T>* derivative) {
  constexpr int64_t together = 4;  // steps that share one load of the weights
  static_assert(steps % together == 0);
  for (int64_t t = 0; t < at.count; t += together) {
    for (int64_t from = 0; from < kLanes; from += S::strip) {
      typename S::Vector sum[together][S::held], w[S::held];
#pragma GCC unroll 4
      for (int64_t v = 0; v < S::held; ++v) {
        get(w[v], bias + from + v * S::lanes);
#pragma GCC unroll 4
        for (int64_t i = 0; i < together; ++i) sum[i][v] = w[v];
      }
      for (int64_t r = 0; r < s.rank; ++r) {
#pragma GCC unroll 4
        for (int64_t v = 0; v < S::held; ++v) get(w[v], weight + r * kLanes + from + v * S::lanes);
#pragma GCC unroll 4
        for (int64_t i = 0; i < together; ++i) {
          const T dt = at.projections[t + i][r];
#pragma GCC unroll 4
          for (int64_t v = 0; v < S::held; ++v) sum[i][v] += w[v] * dt;
        }
      }
#pragma GCC unroll 4
      for (int64_t i = 0; i < together; ++i) {
#pragma GCC unroll 4
        for (int64_t v = 0; v < S::held; ++v) put(step[t + i] + from + v * S::lanes, sum[i][v]);
      }
    }
  }
  T* flat = step[0];
  T* flat_derivative = derivative ? derivative[0] : nullptr;
  if (s.softplus) {
#pragma omp simd
    for (int64_t i = 0; i < at.count * kLanes; ++i) {
      const Softplus<T> p = softplus(flat[i]);
      flat[i] = p.value;
      if constexpr (with_derivative) flat_derivative[i] = p.derivative;
    }
  } else if constexpr (with_derivative) {
    std::fill_n(flat_derivative, at.count * kLanes, T(1));
  }
}

// exp(step * A) for one of the states.
template <typename T>
SCAN_INLINE void decays(const Lanes<T>* step, const T* A, int64_t count, Lanes<T>* decay) {
  for (int64_t t = 0; t < count; ++t) {
#pragma omp simd
    for (int64_t e = 0; e < kLanes; ++e) decay[t][e] = exp(step[t][e] * A[e]);
  }
}

// A map that gathers sums over routes: the result itself where its type and width allow.
template <typename T>
struct Sums {
  T* data;
  int64_t stride;
  T* at(int64_t position) const { return data + position * stride; }
};

template <typename T>
SCAN_INLINE bool in_place(const MapScan<T>& s, const Output& out, int64_t block) {
  return out.type == type_of<T> && s.lanes(block) == kLanes;
}

template <typename T>
SCAN_INLINE Sums<T> sums(const MapScan<T>& s, const Output& out, int64_t batch, int64_t block,
                         T* scratch) {
  if (!in_place(s, out, block)) return {scratch, kLanes};
  T* map = static_cast<T*>(out.data) + batch * s.length() * s.channels;
  return {map + block * kLanes, s.channels};
}

template <typename T>
SCAN_INLINE void finish(const MapScan<T>& s, const Sums<T>& from, const Output& out, int64_t batch,
                        int64_t block) {
  if (in_place(s, out, block)) return;
  for (int64_t p = 0; p < s.length(); ++p) {
    store(out, (batch * s.length() + p) * s.channels + block * kLanes, s.lanes(block), from.at(p));
  }
}

// A map of sums beside the result, unless all of it can be added to in place.
template <typename T>
int64_t sums_scratch(const MapScan<T>& s, const Output& out) {
  return in_place(s, out, s.blocks - 1) ? 0 : s.length() * kLanes;
}

}  // namespace selective_scan::cpu
