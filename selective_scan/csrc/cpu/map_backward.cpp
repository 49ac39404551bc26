// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <type_traits>

#include "map_steps.h"

namespace selective_scan::cpu {
namespace {

// dprojections[t][:rank] += <ddelta[t], weight>, with the transposed weights
template <typename S, typename T>
SCAN_INLINE void add_ddt(const Lanes<T>* ddelta, const T* weight, int64_t rank, int64_t count,
                         T* const* dprojections) {
  constexpr int64_t together = 8;
  static_assert(kMapChunk % together == 0);
  const int64_t padded = padded_rank<T>(rank);
  for (int64_t t = 0; t < count; t += together) {
    for (int64_t r = 0; r < rank; r += S::lanes) {
      typename S::Vector sum[together] = {};
      for (int64_t e = 0; e < kLanes; ++e) {
        typename S::Vector w;
        get(w, weight + e * padded + r);
#pragma GCC unroll 8
        for (int64_t i = 0; i < together; ++i) sum[i] += w * ddelta[t + i][e];
      }
      const int64_t values = std::min(S::lanes, rank - r);
      for (int64_t i = 0; i < std::min(together, count - t); ++i) {
        alignas(64) T from[S::lanes];
        put(from, sum[i]);
        for (int64_t j = 0; j < values; ++j) dprojections[t + i][r + j] += from[j];
      }
    }
  }
}

// dweight[r] += sum over t of ddelta[t] dt[t][r], and dbias += sum of ddelta[t]
template <typename S, typename T>
SCAN_INLINE void add_dweight(const Lanes<T>* ddelta, const Steps<T, kMapChunk>& at, int64_t rank,
                             T* dweight, T* dbias) {
  constexpr int64_t together = 4;
  for (int64_t r = 0; r < rank; r += together) {
    const int64_t rows = std::min(together, rank - r);
    int64_t of[together];  // of which the last may repeat
    for (int64_t i = 0; i < together; ++i) of[i] = r + std::min(i, rows - 1);
    for (int64_t from = 0; from < kLanes; from += S::strip) {
      typename S::Vector sum[together][S::held] = {}, d[S::held];
      for (int64_t t = 0; t < at.count; ++t) {
#pragma GCC unroll 4
        for (int64_t v = 0; v < S::held; ++v) get(d[v], ddelta[t] + from + v * S::lanes);
#pragma GCC unroll 4
        for (int64_t i = 0; i < together; ++i) {
          const T dt = at.projections[t][of[i]];
#pragma GCC unroll 4
          for (int64_t v = 0; v < S::held; ++v) sum[i][v] += d[v] * dt;
        }
      }
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t v = 0; v < S::held; ++v) {
          T* to = dweight + (r + i) * kLanes + from + v * S::lanes;
          get(d[v], to);
          d[v] += sum[i][v];
          put(to, d[v]);
        }
      }
    }
  }
  for (int64_t t = 0; t < at.count; ++t) {
#pragma omp simd
    for (int64_t e = 0; e < kLanes; ++e) dbias[e] += ddelta[t][e];
  }
}

// What backward holds of a chunk.
template <typename T>
struct Chunk {
  alignas(64) Lanes<T> step[kMapChunk], derivative[kMapChunk], decay[kMapChunk],
      h[kMapChunk + 1],  // h[t] is the state before step t
      dinput[kMapChunk], ddelta[kMapChunk];
  Steps<T, kMapChunk> at;
  const T* dy[kMapChunk];
  T* dprojections[kMapChunk];
};

// Lanes that are channels: all bits of those, none of the padding of a last block. Padding holds
// zeros, of which what all channels share makes NaN where it is infinite.
template <typename T>
struct Channels {
  using Bits = std::conditional_t<std::is_same_v<T, double>, int64_t, int32_t>;
  alignas(64) Bits bits[kLanes];
  explicit Channels(int64_t count) {
    std::fill(std::fill_n(bits, count, Bits(-1)), bits + kLanes, Bits(0));
  }
};

// One state over a chunk: forward again from h[0], then back with decay_{t+1} g_{t+1} in `carry`,
// where g_t is the gradient of h_t. Leaves the gradients of step * x in dinput, and of log decay
// times A in ddelta, over all states so far. `whole`: all lanes are channels.
template <typename S, bool first, bool whole, typename T>
SCAN_INLINE void recur_back(Chunk<T>& c, const Channels<T>& channels, int64_t n, int64_t rank,
                            int64_t state, const T* A, T* carry, T* dA) {
  alignas(64) T dB[kMapChunk][S::lanes] = {}, dC[kMapChunk][S::lanes] = {};
  for (int64_t from = 0; from < kLanes; from += S::strip) {
    typename S::Vector h[S::held], g[S::held], a[S::held], da[S::held];
#pragma GCC unroll 4
    for (int64_t v = 0; v < S::held; ++v) get(h[v], c.h[0] + from + v * S::lanes);
    for (int64_t t = 0; t < c.at.count; ++t) {
      const T B = c.at.projections[t][rank + n];
#pragma GCC unroll 4
      for (int64_t v = 0; v < S::held; ++v) {
        const int64_t e = from + v * S::lanes;
        typename S::Vector x, decay, step;
        get(x, c.at.x[t] + e);
        get(decay, c.decay[t] + e);
        get(step, c.step[t] + e);
        h[v] = decay * h[v] + step * x * B;
        put(c.h[t + 1] + e, h[v]);
      }
    }
#pragma GCC unroll 4
    for (int64_t v = 0; v < S::held; ++v) {
      get(g[v], carry + from + v * S::lanes);
      get(a[v], A + from + v * S::lanes);
      get(da[v], dA + from + v * S::lanes);
    }
    for (int64_t t = c.at.count - 1; t >= 0; --t) {
      const T B = c.at.projections[t][rank + n], C = c.at.projections[t][rank + state + n];
      typename S::Vector sum_dB, sum_dC;
      get(sum_dB, dB[t]);
      get(sum_dC, dC[t]);
#pragma GCC unroll 4
      for (int64_t v = 0; v < S::held; ++v) {
        const int64_t e = from + v * S::lanes;
        typename S::Vector x, dy, decay, step, before, after, sum;
        get(x, c.at.x[t] + e);
        get(dy, c.dy[t] + e);
        get(decay, c.decay[t] + e);
        get(step, c.step[t] + e);
        get(before, c.h[t] + e);
        get(after, c.h[t + 1] + e);
        g[v] += dy * C;
        if constexpr (whole) {
          sum_dB += g[v] * step * x;
          sum_dC += dy * after;
        } else {
          typename S::Mask kept;
          get(kept, channels.bits + e);
          sum_dB += (typename S::Vector)((typename S::Mask)(g[v] * step * x) & kept);
          sum_dC += (typename S::Vector)((typename S::Mask)(dy * after) & kept);
        }
        typename S::Vector dinput = g[v] * B;
        g[v] *= decay;
        const typename S::Vector dlog_decay = g[v] * before;
        da[v] += dlog_decay * step;
        typename S::Vector ddelta = dlog_decay * a[v];
        if constexpr (!first) {
          get(sum, c.dinput[t] + e);
          dinput += sum;
          get(sum, c.ddelta[t] + e);
          ddelta += sum;
        }
        put(c.dinput[t] + e, dinput);
        put(c.ddelta[t] + e, ddelta);
      }
      put(dB[t], sum_dB);
      put(dC[t], sum_dC);
    }
#pragma GCC unroll 4
    for (int64_t v = 0; v < S::held; ++v) {
      put(carry + from + v * S::lanes, g[v]);
      put(dA + from + v * S::lanes, da[v]);
    }
  }
  for (int64_t t = 0; t < c.at.count; ++t) {
    T total_dB = T(0), total_dC = T(0);
#pragma omp simd reduction(+ : total_dB, total_dC)
    for (int64_t i = 0; i < S::lanes; ++i) {
      total_dB += dB[t][i];
      total_dC += dC[t][i];
    }
    c.dprojections[t][rank + n] += total_dB;
    c.dprojections[t][rank + state + n] += total_dC;
  }
}

// dx from dinput, and the whole of ddelta. skip and dskip are null where there is no D.
template <bool first, typename T>
SCAN_INLINE void finish_chunk(Chunk<T>& c, const T* skip, T* dskip, const Sums<T>& dx) {
  for (int64_t t = 0; t < c.at.count; ++t) {
    const T *x = c.at.x[t], *dy = c.dy[t];
    T* to = dx.at(c.at.positions[t]);
#pragma omp simd
    for (int64_t e = 0; e < kLanes; ++e) {
      const T dinput = c.dinput[t][e];
      c.ddelta[t][e] = (c.ddelta[t][e] + dinput * x[e]) * c.derivative[t][e];
      if constexpr (first) {
        to[e] = dinput * c.step[t][e];
      } else {
        to[e] += dinput * c.step[t][e];
      }
    }
    if (!first || !skip) continue;
#pragma omp simd
    for (int64_t e = 0; e < kLanes; ++e) {
      to[e] += skip[e] * dy[e];
      dskip[e] += dy[e] * x[e];
    }
  }
}

template <typename S, typename T>
SCAN_INLINE void backward(const MapScan<T>& s, const MapBackward<T>& io, int64_t batch,
                          int64_t block, T* dprojections, T* scratch) {
  Chunk<T> c;
  T* x_scratch = scratch;
  T* dy_scratch = x_scratch + kMapChunk * kLanes;
  T* projection_scratch = dy_scratch + kMapChunk * kLanes;
  T* carry = projection_scratch + kMapChunk * s.projected();  // (state, kLanes)
  const Sums<T> dx = sums(s, io.dx, batch, block, carry + s.state * kLanes);
  const int64_t lanes = s.lanes(block);
  const Channels<T> channels(lanes);
  const int64_t of_batch = batch * s.blocks;
  const T* skip = s.skip ? s.skip + block * kLanes : nullptr;
  T* dskip = io.dskip ? io.dskip + (of_batch + block) * kLanes : nullptr;
  if (dskip) std::fill_n(dskip, kLanes, T(0));

  for (const int64_t route : kOrder) {
    const int64_t packed = block * kRoutes + route;
    const int64_t packed_out = of_batch * kRoutes + packed;
    const T* A = s.A + packed * s.state * kLanes;
    T* dA = io.dA + packed_out * s.state * kLanes;
    T* dweight = io.dweight + packed_out * s.rank * kLanes;
    T* dbias = io.dbias + packed_out * kLanes;
    std::fill_n(dA, s.state * kLanes, T(0));
    std::fill_n(dweight, s.rank * kLanes, T(0));
    std::fill_n(dbias, kLanes, T(0));
    std::fill_n(carry, s.state * kLanes, T(0));

    for (int64_t chunk = s.chunks - 1; chunk >= 0; --chunk) {
      read(s, batch, block, route, chunk * kMapChunk, c.at, x_scratch, projection_scratch);
      for (int64_t t = 0; t < c.at.count; ++t) {
        const int64_t position = c.at.positions[t];
        c.dy[t] = load_lanes(io.dy, (batch * s.length() + position) * s.channels + block * kLanes,
                             lanes, dy_scratch + t * kLanes);
        c.dprojections[t] = dprojections + (position * kRoutes + route) * s.projected();
      }
      step_sizes<S, true>(s, s.weight + packed * s.rank * kLanes, s.bias + packed * kLanes, c.at,
                          c.step, c.derivative);
      const int64_t kept = ((batch * kRoutes + route) * (s.chunks + 1) + chunk) * s.state;
      for (int64_t n = 0; n < s.state; ++n) {
        const T* from = io.states + (kept + n) * s.channels + block * kLanes;
        std::fill(std::copy_n(from, lanes, c.h[0]), c.h[0] + kLanes, T(0));
        decays(c.step, A + n * kLanes, c.at.count, c.decay);
        const T* A_n = A + n * kLanes;
        T *carry_n = carry + n * kLanes, *dA_n = dA + n * kLanes;
        if (lanes == kLanes && n == 0) {
          recur_back<S, true, true>(c, channels, n, s.rank, s.state, A_n, carry_n, dA_n);
        } else if (lanes == kLanes) {
          recur_back<S, false, true>(c, channels, n, s.rank, s.state, A_n, carry_n, dA_n);
        } else if (n == 0) {
          recur_back<S, true, false>(c, channels, n, s.rank, s.state, A_n, carry_n, dA_n);
        } else {
          recur_back<S, false, false>(c, channels, n, s.rank, s.state, A_n, carry_n, dA_n);
        }
      }
      if (route == kOrder[0]) {
        finish_chunk<true>(c, skip, dskip, dx);
      } else {
        finish_chunk<false>(c, skip, dskip, dx);
      }
      for (int64_t t = 0; t < (lanes < kLanes ? c.at.count : 0); ++t) {
        std::fill(c.ddelta[t] + lanes, c.ddelta[t] + kLanes, T(0));  // padding counts nothing
      }
      // Several steps are taken at a time: those past the end count nothing.
      std::fill(c.ddelta[0] + c.at.count * kLanes, c.ddelta[0] + kMapChunk * kLanes, T(0));
      add_ddt<S>(c.ddelta, io.weight + packed * kLanes * padded_rank<T>(s.rank), s.rank, c.at.count,
                 c.dprojections);
      add_dweight<S>(c.ddelta, c.at, s.rank, dweight, dbias);
    }
  }
  finish(s, dx, io.dx, batch, block);
}

}  // namespace

template <typename T>
int64_t backward_scratch(const MapScan<T>& s, const MapBackward<T>& io) {
  return kMapChunk * (2 * kLanes + s.projected()) + s.state * kLanes + sums_scratch(s, io.dx);
}

template int64_t backward_scratch(const MapScan<float>&, const MapBackward<float>&);
template int64_t backward_scratch(const MapScan<double>&, const MapBackward<double>&);

#define SCAN_BACKWARD(T, suffix, target, width)                                                    \
  target static void backward_block##suffix(const MapScan<T>& s, const MapBackward<T>& io,         \
                                            int64_t batch, int64_t block, T* dprojections,         \
                                            T* scratch) {                                          \
    backward<Simd<T, width>>(s, io, batch, block, dprojections, scratch);                          \
  }

SCAN_VERSIONS(SCAN_BACKWARD, float)
SCAN_VERSIONS(SCAN_BACKWARD, double)

void backward_block(const MapScan<float>& s, const MapBackward<float>& io, int64_t batch,
                    int64_t block, float* dprojections, float* scratch) {
  SCAN_CHOOSE(backward_block, s, io, batch, block, dprojections, scratch);
}

void backward_block(const MapScan<double>& s, const MapBackward<double>& io, int64_t batch,
                    int64_t block, double* dprojections, double* scratch) {
  SCAN_CHOOSE(backward_block, s, io, batch, block, dprojections, scratch);
}

}  // namespace selective_scan::cpu
