// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
#include "map_kernels.h"

#include <algorithm>

#include "../checks.h"
#include "simd.h"

#if !defined(__GNUC__)
#error "the CPU kernels of selective_scan need GCC or Clang, for their vector types"
#endif
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // everything that takes a vector is inlined
#endif

namespace selective_scan::cpu {
namespace {

// Vector registers of `width` bytes, and how many of each operand a kernel can hold at a time.
template <typename T, int width>
struct Register;
template <int width>
struct Register<float, width> {
  typedef float Type __attribute__((vector_size(width)));
};
template <int width>
struct Register<double, width> {
  typedef double Type __attribute__((vector_size(width)));
};

template <typename T, int width>
struct Simd {
  using Value = T;
  using Vector = typename Register<T, width>::Type;
  static constexpr int64_t lanes = width / sizeof(T);
  static constexpr int64_t held = width == 64 ? 4 : 2;  // 32 registers with AVX-512, else 16
  static constexpr int64_t strip = held * lanes;        // channels
  static_assert(kLanes % strip == 0);
};

// The two routes of one direction after each other: where one ends, its reverse begins.
constexpr int64_t kOrder[kRoutes] = {0, 2, 1, 3};

constexpr int64_t kTile = 16;  // steps that forward takes at a time: its arrays stay in cache
static_assert(kMapChunk % kTile == 0);

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
    to.x[t] = load_lanes(s.x, at * s.channels + block * kLanes, s.lanes(block),
                         x_scratch + t * kLanes);
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

// One state over a few steps: h = decay h + step x B, y += C h, with h in `carry`.
template <typename S, bool first, typename T>
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
        if constexpr (first) {
          get(sum, skip + e);
          sum *= x;
        } else {
          get(sum, to + e);
        }
        h[v] = a * h[v] + d * x * B;
        sum += h[v] * C;
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
      step_sizes<S, false>(s, s.weight + packed * s.rank * kLanes, s.bias + packed * kLanes, at, step,
                        static_cast<Lanes<T>*>(nullptr));
      for (int64_t n = 0; n < s.state; ++n) {
        decays(step, A + n * kLanes, at.count, decay);
        const T* skip = s.skip + block * kLanes;
        if (route == kOrder[0] && n == 0) {
          recur<S, true>(at, n, s.rank, s.state, step, decay, skip, carry, y);
        } else {
          recur<S, false>(at, n, s.rank, s.state, step, decay, skip, carry + n * kLanes, y);
        }
      }
    }
    keep(s.chunks);
  }
  finish(s, y, out.y, batch, block);
}

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

// One state over a chunk: forward again from h[0], then back with decay_{t+1} g_{t+1} in `carry`,
// where g_t is the gradient of h_t. Leaves the gradients of step * x in dinput, and of log decay
// times A in ddelta, over all states so far.
template <typename S, bool first, typename T>
SCAN_INLINE void recur_back(Chunk<T>& c, int64_t n, int64_t rank, int64_t state, const T* A,
                            T* carry, T* dA) {
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
        sum_dB += g[v] * step * x;
        sum_dC += dy * after;
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

// dx from dinput, and the whole of ddelta.
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
        to[e] = dinput * c.step[t][e] + skip[e] * dy[e];
        dskip[e] += dy[e] * x[e];
      } else {
        to[e] += dinput * c.step[t][e];
      }
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
  const int64_t of_batch = batch * s.blocks;
  T* dskip = io.dskip + (of_batch + block) * kLanes;
  std::fill_n(dskip, kLanes, T(0));

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
        if (n == 0) {
          recur_back<S, true>(c, n, s.rank, s.state, A_n, carry_n, dA_n);
        } else {
          recur_back<S, false>(c, n, s.rank, s.state, A_n, carry_n, dA_n);
        }
      }
      const T* skip = s.skip + block * kLanes;
      if (route == kOrder[0]) {
        finish_chunk<true>(c, skip, dskip, dx);
      } else {
        finish_chunk<false>(c, skip, dskip, dx);
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

namespace {

// A map of sums beside the result, unless all of it can be added to in place.
template <typename T>
int64_t sums_scratch(const MapScan<T>& s, const Output& out) {
  return in_place(s, out, s.blocks - 1) ? 0 : s.length() * kLanes;
}

}  // namespace

template <typename T>
int64_t forward_scratch(const MapScan<T>& s, const MapForward<T>& out) {
  return kTile * (kLanes + s.projected()) + s.state * kLanes + sums_scratch(s, out.y);
}

template <typename T>
int64_t backward_scratch(const MapScan<T>& s, const MapBackward<T>& io) {
  return kMapChunk * (2 * kLanes + s.projected()) + s.state * kLanes + sums_scratch(s, io.dx);
}

template int64_t forward_scratch(const MapScan<float>&, const MapForward<float>&);
template int64_t forward_scratch(const MapScan<double>&, const MapForward<double>&);
template int64_t backward_scratch(const MapScan<float>&, const MapBackward<float>&);
template int64_t backward_scratch(const MapScan<double>&, const MapBackward<double>&);

#define SCAN_BLOCKS(T, suffix, target, width)                                                    \
  target static void forward_block##suffix(const MapScan<T>& s, const MapForward<T>& out,        \
                                           int64_t batch, int64_t block, T* scratch) {           \
    forward<Simd<T, width>>(s, out, batch, block, scratch);                                      \
  }                                                                                              \
  target static void backward_block##suffix(const MapScan<T>& s, const MapBackward<T>& io,       \
                                            int64_t batch, int64_t block, T* dprojections,       \
                                            T* scratch) {                                        \
    backward<Simd<T, width>>(s, io, batch, block, dprojections, scratch);                        \
  }

SCAN_VERSIONS(SCAN_BLOCKS, float)
SCAN_VERSIONS(SCAN_BLOCKS, double)

void forward_block(const MapScan<float>& s, const MapForward<float>& out, int64_t batch,
                   int64_t block, float* scratch) {
  SCAN_CHOOSE(forward_block, s, out, batch, block, scratch);
}

void forward_block(const MapScan<double>& s, const MapForward<double>& out, int64_t batch,
                   int64_t block, double* scratch) {
  SCAN_CHOOSE(forward_block, s, out, batch, block, scratch);
}

void backward_block(const MapScan<float>& s, const MapBackward<float>& io, int64_t batch,
                    int64_t block, float* dprojections, float* scratch) {
  SCAN_CHOOSE(backward_block, s, io, batch, block, dprojections, scratch);
}

void backward_block(const MapScan<double>& s, const MapBackward<double>& io, int64_t batch,
                    int64_t block, double* dprojections, double* scratch) {
  SCAN_CHOOSE(backward_block, s, io, batch, block, dprojections, scratch);
}

}  // namespace selective_scan::cpu
