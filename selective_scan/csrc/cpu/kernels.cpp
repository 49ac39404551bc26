// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
#include "kernels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "../checks.h"
#include "simd.h"

namespace selective_scan::cpu {
namespace {

template <typename T>
using Block = T[kRows][kChunk];

// h_t = a_t h_{t-1} + x_t over a chunk, in place of x; h_{-1} and the last h are in `carry`.
template <typename T>
SCAN_INLINE void recur(const Block<T>& a, Block<T>& x, T (&carry)[kRows], int64_t rows,
                       int64_t count) {
  if (rows == kRows) {
    T h[kRows];
    for (int64_t r = 0; r < kRows; ++r) h[r] = carry[r];
    for (int64_t t = 0; t < count; ++t) {
#pragma GCC unroll 8
      for (int64_t r = 0; r < kRows; ++r) x[r][t] = h[r] = a[r][t] * h[r] + x[r][t];
    }
    for (int64_t r = 0; r < kRows; ++r) carry[r] = h[r];
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    T h = carry[r];
    for (int64_t t = 0; t < count; ++t) x[r][t] = h = a[r][t] * h + x[r][t];
    carry[r] = h;
  }
}

// g_t = x_t + a_{t+1} g_{t+1}, in place of x, from the end back; a_{count} g_{count} comes in
// `carry`, and a_0 g_0 goes out in it.
template <typename T>
SCAN_INLINE void recur_back(const Block<T>& a, Block<T>& x, T (&carry)[kRows], int64_t rows,
                            int64_t count) {
  if (rows == kRows) {
    T g[kRows];
    for (int64_t r = 0; r < kRows; ++r) g[r] = x[r][count - 1] += carry[r];
    for (int64_t t = count - 2; t >= 0; --t) {
#pragma GCC unroll 8
      for (int64_t r = 0; r < kRows; ++r) x[r][t] = g[r] = a[r][t + 1] * g[r] + x[r][t];
    }
    for (int64_t r = 0; r < kRows; ++r) carry[r] = a[r][0] * g[r];
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    T g = x[r][count - 1] += carry[r];
    for (int64_t t = count - 2; t >= 0; --t) x[r][t] = g = a[r][t + 1] * g + x[r][t];
    carry[r] = a[r][0] * g;
  }
}

// The step sizes of one row of a chunk and, for backward, their derivatives.
template <typename T, bool with_derivative>
SCAN_INLINE void step_sizes(const T* delta, T bias, bool with_softplus, int64_t count, T* step,
                            T* derivative) {
  if (with_softplus) {
#pragma omp simd
    for (int64_t t = 0; t < count; ++t) {
      const Softplus<T> s = softplus(delta[t] + bias);
      step[t] = s.value;
      if constexpr (with_derivative) derivative[t] = s.derivative;
    }
    return;
  }
#pragma omp simd
  for (int64_t t = 0; t < count; ++t) {
    step[t] = delta[t] + bias;
    if constexpr (with_derivative) derivative[t] = T(1);
  }
}

template <typename T>
SCAN_INLINE void forward(const Scan<T>& s, const ForwardOut<T>& out, const Tile& tile) {
  alignas(64) Block<T> step, input, decay, h, y;
  alignas(64) T scratch[2][kChunk];
  T carry[kRows];
  const int64_t row = tile.batch * s.channels + tile.channel;
  const int64_t weights = (tile.batch * s.groups + tile.group) * s.state;
  // The state of row r that enters a chunk, or, after the last chunk, leaves the scan.
  const auto states = [&](int64_t r, int64_t chunk) {
    return out.states + ((row + r) * (s.chunks + 1) + chunk) * s.state;
  };
  for (int64_t r = 0; r < tile.count; ++r) std::fill_n(states(r, 0), s.state, T(0));

  for (int64_t chunk = 0; chunk < s.chunks; ++chunk) {
    const int64_t start = chunk * kChunk;
    const int64_t count = std::min(kChunk, s.length - start);
    for (int64_t r = 0; r < tile.count; ++r) {
      const int64_t at = (row + r) * s.length + start;
      const T* u = load(s.u, at, count, scratch[0]);
      const T* delta = load(s.delta, at, count, scratch[1]);
      const T bias = s.delta_bias ? s.delta_bias[tile.channel + r] : T(0);
      const int64_t next = std::min(kChunk, s.length - start - count);
      prefetch(s.u, at + count, next);
      prefetch(s.delta, at + count, next);
      step_sizes<T, false>(delta, bias, s.softplus, count, step[r], nullptr);
      if (s.D) {
        const T skip = s.D[tile.channel + r];
#pragma omp simd
        for (int64_t t = 0; t < count; ++t) {
          input[r][t] = step[r][t] * u[t];
          y[r][t] = skip * u[t];
        }
      } else {  // no skip of zero, which an infinite u would turn into NaN
#pragma omp simd
        for (int64_t t = 0; t < count; ++t) {
          input[r][t] = step[r][t] * u[t];
          y[r][t] = T(0);
        }
      }
    }
    for (int64_t n = 0; n < s.state; ++n) {
      const T* B = load(s.B, (weights + n) * s.length + start, count, scratch[0]);
      const T* C = load(s.C, (weights + n) * s.length + start, count, scratch[1]);
      for (int64_t r = 0; r < tile.count; ++r) {
        const T A = s.A[(tile.channel + r) * s.state + n];
#pragma omp simd
        for (int64_t t = 0; t < count; ++t) {
          decay[r][t] = exp(step[r][t] * A);
          h[r][t] = input[r][t] * B[t];
        }
        carry[r] = states(r, chunk)[n];
      }
      recur(decay, h, carry, tile.count, count);
      for (int64_t r = 0; r < tile.count; ++r) {
        states(r, chunk + 1)[n] = carry[r];
#pragma omp simd
        for (int64_t t = 0; t < count; ++t) y[r][t] += C[t] * h[r][t];
      }
    }
    for (int64_t r = 0; r < tile.count; ++r) {
      store(out.y, (row + r) * s.length + start, count, y[r]);
    }
  }
  for (int64_t r = 0; r < tile.count; ++r) {
    std::copy_n(states(r, s.chunks), s.state, out.last + (row + r) * s.state);
  }
}

template <typename T>
SCAN_INLINE void backward(const Scan<T>& s, const BackwardIo<T>& io, const Tile& tile, T* dB, T* dC,
                          T* carries) {
  alignas(64) Block<T> step, derivative, input, decay, h, g, dinput, dstep;
  alignas(64) T scratch[3][kChunk];
  T carry[kRows];
  const int64_t row = tile.batch * s.channels + tile.channel;
  const int64_t weights = (tile.batch * s.groups + tile.group) * s.state;
  std::fill_n(io.dA + row * s.state, tile.count * s.state, T(0));
  for (int64_t i = 0; i < tile.count * s.state; ++i) {
    carries[i] = io.dlast ? io.dlast[row * s.state + i] : T(0);
  }
  if (io.dD) std::fill_n(io.dD + row, tile.count, T(0));
  if (io.dbias) std::fill_n(io.dbias + row, tile.count, T(0));

  for (int64_t chunk = s.chunks - 1; chunk >= 0; --chunk) {
    const int64_t start = chunk * kChunk;
    const int64_t count = std::min(kChunk, s.length - start);
    for (int64_t r = 0; r < tile.count; ++r) {
      const int64_t at = (row + r) * s.length + start;
      const T* u = load(s.u, at, count, scratch[0]);
      const T* delta = load(s.delta, at, count, scratch[1]);
      const T bias = s.delta_bias ? s.delta_bias[tile.channel + r] : T(0);
      if (chunk > 0) {
        prefetch(s.u, at - kChunk, kChunk);
        prefetch(s.delta, at - kChunk, kChunk);
        prefetch(io.dy, at - kChunk, kChunk);
      }
      step_sizes<T, true>(delta, bias, s.softplus, count, step[r], derivative[r]);
#pragma omp simd
      for (int64_t t = 0; t < count; ++t) {
        input[r][t] = step[r][t] * u[t];
        dinput[r][t] = T(0);
        dstep[r][t] = T(0);
      }
    }
    for (int64_t n = 0; n < s.state; ++n) {
      const T* B = load(s.B, (weights + n) * s.length + start, count, scratch[0]);
      const T* C = load(s.C, (weights + n) * s.length + start, count, scratch[1]);
      T* dB_at = dB + n * s.length + start;
      T* dC_at = dC + n * s.length + start;
      for (int64_t r = 0; r < tile.count; ++r) {
        const T A = s.A[(tile.channel + r) * s.state + n];
        const T* dy = load(io.dy, (row + r) * s.length + start, count, scratch[2]);
#pragma omp simd
        for (int64_t t = 0; t < count; ++t) {
          decay[r][t] = exp(step[r][t] * A);
          h[r][t] = input[r][t] * B[t];
          g[r][t] = C[t] * dy[t];
        }
        carry[r] = io.states[((row + r) * (s.chunks + 1) + chunk) * s.state + n];
      }
      recur(decay, h, carry, tile.count, count);
      for (int64_t r = 0; r < tile.count; ++r) carry[r] = carries[r * s.state + n];
      recur_back(decay, g, carry, tile.count, count);
      for (int64_t r = 0; r < tile.count; ++r) {
        carries[r * s.state + n] = carry[r];
        const T A = s.A[(tile.channel + r) * s.state + n];
        const T first = io.states[((row + r) * (s.chunks + 1) + chunk) * s.state + n];
        const T* dy = load(io.dy, (row + r) * s.length + start, count, scratch[2]);
        // The decay at t multiplied the state before it, which is h[t - 1].
        const T from_first = g[r][0] * first * decay[r][0];
        T dA = from_first * step[r][0];
        dstep[r][0] += from_first * A;
#pragma omp simd reduction(+ : dA)
        for (int64_t t = 1; t < count; ++t) {
          const T dlog_decay = g[r][t] * h[r][t - 1] * decay[r][t];
          dA += dlog_decay * step[r][t];
          dstep[r][t] += dlog_decay * A;
        }
        io.dA[(row + r) * s.state + n] += dA;
#pragma omp simd
        for (int64_t t = 0; t < count; ++t) {
          dC_at[t] += dy[t] * h[r][t];
          dB_at[t] += g[r][t] * input[r][t];
          dinput[r][t] += g[r][t] * B[t];
        }
      }
    }
    for (int64_t r = 0; r < tile.count; ++r) {
      const int64_t at = (row + r) * s.length + start;
      const T* u = load(s.u, at, count, scratch[0]);
      const T* dy = load(io.dy, at, count, scratch[1]);
      const T skip = s.D ? s.D[tile.channel + r] : T(0);
      T dD = T(0), dbias = T(0);
      // du takes the place of dinput, ddelta that of dstep. Without D nothing is multiplied by a
      // skip of zero, which would turn an infinite gradient into NaN.
      if (s.D) {
#pragma omp simd reduction(+ : dD, dbias)
        for (int64_t t = 0; t < count; ++t) {
          const T ddelta = (dstep[r][t] + dinput[r][t] * u[t]) * derivative[r][t];
          dinput[r][t] = dinput[r][t] * step[r][t] + skip * dy[t];
          dstep[r][t] = ddelta;
          dbias += ddelta;
          dD += dy[t] * u[t];
        }
      } else {
#pragma omp simd reduction(+ : dbias)
        for (int64_t t = 0; t < count; ++t) {
          const T ddelta = (dstep[r][t] + dinput[r][t] * u[t]) * derivative[r][t];
          dinput[r][t] *= step[r][t];
          dstep[r][t] = ddelta;
          dbias += ddelta;
        }
      }
      if (s.D) io.dD[row + r] += dD;
      if (io.dbias) io.dbias[row + r] += dbias;
      store(io.du, at, count, dinput[r]);
      store(io.ddelta, at, count, dstep[r]);
    }
  }
}

}  // namespace

#define SCAN_TILES(T, suffix, target, width)                                                       \
  target static void forward_tile##suffix(const Scan<T>& s, const ForwardOut<T>& out,              \
                                          const Tile& tile) {                                      \
    forward(s, out, tile);                                                                         \
  }                                                                                                \
  target static void backward_tile##suffix(const Scan<T>& s, const BackwardIo<T>& io,              \
                                           const Tile& tile, T* dB, T* dC, T* carry) {             \
    backward(s, io, tile, dB, dC, carry);                                                          \
  }

SCAN_VERSIONS(SCAN_TILES, float)
SCAN_VERSIONS(SCAN_TILES, double)

void forward_tile(const Scan<float>& s, const ForwardOut<float>& out, const Tile& tile) {
  SCAN_CHOOSE(forward_tile, s, out, tile);
}

void forward_tile(const Scan<double>& s, const ForwardOut<double>& out, const Tile& tile) {
  SCAN_CHOOSE(forward_tile, s, out, tile);
}

void backward_tile(const Scan<float>& s, const BackwardIo<float>& io, const Tile& tile, float* dB,
                   float* dC, float* carry) {
  SCAN_CHOOSE(backward_tile, s, io, tile, dB, dC, carry);
}

void backward_tile(const Scan<double>& s, const BackwardIo<double>& io, const Tile& tile,
                   double* dB, double* dC, double* carry) {
  SCAN_CHOOSE(backward_tile, s, io, tile, dB, dC, carry);
}

namespace {

int64_t supported() {
#if SCAN_DISPATCH
  if (__builtin_cpu_supports("x86-64-v4")) return 2;
  if (__builtin_cpu_supports("x86-64-v3")) return 1;
#endif
  return 0;
}

int64_t choose() {
  const char* wish = std::getenv("SELECTIVE_SCAN_CPU_CAPABILITY");
  const int64_t best = supported();
  if (!wish) return best;
  constexpr const char* names[] = {"default", "avx2", "avx512"};
  for (int64_t i = 0; i <= best; ++i) {
    if (std::strcmp(wish, names[i]) == 0) return i;
  }
  throw std::runtime_error(std::string("SELECTIVE_SCAN_CPU_CAPABILITY must be default, avx2 or "
                                       "avx512, and what this machine has, got ") +
                           wish);
}

}  // namespace

int64_t capability() {
  static const int64_t chosen = choose();
  return chosen;
}

}  // namespace selective_scan::cpu
