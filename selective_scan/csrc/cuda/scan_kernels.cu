// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// selective_scan. A warp takes a chunk of one row, a lane four consecutive steps of it, so that
// memory is read in order along the sequence. Chunks run side by side: first each finds the state
// that it alone would end in, then one warp a row joins these into the state that enters each
// chunk, then all chunks run again from there.
#include "common.cuh"
#include "../sizes.h"

namespace selective_scan::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;
static_assert(kChunk == kWarp * kLaneSteps, "a warp takes a chunk");
static_assert(kThreads == 2 * kChunk, "scan_gradients adds dB and dC with a thread for each step");

// The part of a row that a lane works on.
struct Place {
  int64_t row;  // batch * channels + channel
  int64_t channel;
  int64_t at;       // of the lane's first step in u, delta, y
  int64_t weights;  // of the lane's first step in B and C for state 0
  int count;        // steps of the lane that exist
};

template <typename T>
__device__ inline Place place(const Scan<T>& s, int64_t row, int64_t chunk) {
  const int64_t start = chunk * kChunk + threadIdx.x % kWarp * kLaneSteps;
  const int64_t channel = row % s.channels, batch = row / s.channels;
  const int64_t left = s.length - start;
  return {row, channel, row * s.length + start,
          (batch * s.groups + channel / s.rows) * s.state * s.length + start,
          static_cast<int>(left < 0            ? 0
                           : left < kLaneSteps ? left
                                               : kLaneSteps)};
}

// Step sizes; zero, which leaves the state as it is, past the end.
template <typename T>
__device__ inline void step_sizes(const Scan<T>& s, const Place& p, T (&step)[kLaneSteps]) {
  load_steps(s.delta, p.at, p.count, s.aligned, step);
  const T bias = s.delta_bias ? s.delta_bias[p.channel] : T(0);
#pragma unroll
  for (int i = 0; i < kLaneSteps; ++i) {
    const T value = step[i] + bias;
    step[i] = i < p.count ? (s.softplus ? softplus(value) : value) : T(0);
  }
}

template <typename T>
__device__ inline T decay_of(T step, T A) {
  return exp2_of(step * T(kLog2E) * A);
}

// That of the i-th step of a lane; one, whatever A is, past the end.
template <typename T>
__device__ inline T decay_at(const Place& p, int i, T step, T A) {
  return i < p.count ? decay_of(step, A) : T(1);
}

template <typename T>
__device__ inline void write_sum(const T (&step)[kLaneSteps], T* sum) {
  T total = T(0);
#pragma unroll
  for (int i = 0; i < kLaneSteps; ++i) total += step[i];
  total = warp_sum(total);
  if (threadIdx.x % kWarp == 0) *sum = total;
}

// The row and chunk of a warp, where blocks hold kWarps neighbouring rows of one chunk.
template <typename T>
__device__ inline bool find_warp(const Scan<T>& s, int64_t* row, int64_t* chunk) {
  const int64_t blocks = (s.batch * s.channels + kWarps - 1) / kWarps;  // of one chunk
  *chunk = blockIdx.x / blocks;
  *row = blockIdx.x % blocks * kWarps + threadIdx.x / kWarp;
  return *row < s.batch * s.channels;
}

// The state that each chunk ends in if it starts from zero, to states[chunk + 1].
template <typename T>
__global__ void __launch_bounds__(kThreads) chunk_ends(Scan<T> s, ScanResults<T> out) {
  int64_t row, chunk;
  if (!find_warp(s, &row, &chunk)) return;
  const Place p = place(s, row, chunk);
  T step[kLaneSteps], u[kLaneSteps], B[kLaneSteps];
  step_sizes(s, p, step);
  load_steps(s.u, p.at, p.count, s.aligned, u);
  write_sum(step, out.sums + row * s.chunks + chunk);
  for (int64_t n = 0; n < s.state; ++n) {
    load_steps(s.B, p.weights + n * s.length, p.count, s.aligned, B);
    const T A = s.A[p.channel * s.state + n];
    Step<T> own = {T(1), T(0)};
#pragma unroll
    for (int i = 0; i < kLaneSteps; ++i) {
      own = compose(own, Step<T>{decay_at(p, i, step[i], A), step[i] * u[i] * B[i]});
    }
    own = inclusive_scan<false>(own);
    if (threadIdx.x % kWarp == kWarp - 1) {
      out.states[(row * (s.chunks + 1) + chunk + 1) * s.state + n] = own.value;
    }
  }
}

// The row and state of a warp that joins chunks.
template <typename T>
__device__ inline bool find_join(const Scan<T>& s, int64_t* row, int64_t* n) {
  const int64_t warp = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarp;
  *row = warp / s.state;
  *n = warp % s.state;
  return *row < s.batch * s.channels;
}

// From what chunks end in alone to what they end in: in place of states, with the last state.
template <typename T>
__global__ void __launch_bounds__(kThreads) join_forward(Scan<T> s, ScanResults<T> out) {
  int64_t row, n;
  if (!find_join(s, &row, &n)) return;
  const int lane = threadIdx.x % kWarp;
  const T A = s.A[row % s.channels * s.state + n];
  T* states = out.states + row * (s.chunks + 1) * s.state + n;
  T h = T(0);
  if (lane == 0) states[0] = h;
  for (int64_t first = 0; first < s.chunks; first += kWarp) {
    const int64_t chunk = first + lane;
    Step<T> own = {T(1), T(0)};
    if (chunk < s.chunks) {
      own = {decay_of(out.sums[row * s.chunks + chunk], A), states[(chunk + 1) * s.state]};
    }
    const T end = advance(inclusive_scan<false>(own), h);
    if (chunk < s.chunks) states[(chunk + 1) * s.state] = end;
    h = __shfl_sync(kAllLanes, end, kWarp - 1);
  }
  if (lane == 0) out.last[row * s.state + n] = h;
}

template <typename T>
__global__ void __launch_bounds__(kThreads) chunk_outputs(Scan<T> s, ScanResults<T> out) {
  int64_t row, chunk;
  if (!find_warp(s, &row, &chunk)) return;
  const Place p = place(s, row, chunk);
  T step[kLaneSteps], u[kLaneSteps], B[kLaneSteps], C[kLaneSteps], y[kLaneSteps];
  step_sizes(s, p, step);
  load_steps(s.u, p.at, p.count, s.aligned, u);
#pragma unroll
  for (int i = 0; i < kLaneSteps; ++i) {
    y[i] = s.D ? s.D[p.channel] * u[i] : T(0);  // zero times an infinite u would be NaN
    u[i] *= step[i];
  }
  for (int64_t n = 0; n < s.state; ++n) {
    load_steps(s.B, p.weights + n * s.length, p.count, s.aligned, B);
    load_steps(s.C, p.weights + n * s.length, p.count, s.aligned, C);
    const T A = s.A[p.channel * s.state + n];
    Step<T> steps[kLaneSteps], own = {T(1), T(0)};
#pragma unroll
    for (int i = 0; i < kLaneSteps; ++i) {
      steps[i] = {decay_at(p, i, step[i], A), u[i] * B[i]};
      own = compose(own, steps[i]);
    }
    const T enters = out.states[(row * (s.chunks + 1) + chunk) * s.state + n];
    T h = advance(exclusive_of<false>(inclusive_scan<false>(own)), enters);
#pragma unroll
    for (int i = 0; i < kLaneSteps; ++i) {
      h = steps[i].decay * h + steps[i].value;
      y[i] += C[i] * h;
    }
  }
  store_steps(out.y, p.at, p.count, s.aligned, y);
}

// Backward carries c_t = a_t (C_t dy_t + c_{t+1}) from the end: what each chunk passes on to the
// one before it if nothing enters it, to carries[chunk].
template <typename T>
__global__ void __launch_bounds__(kThreads) chunk_starts(Scan<T> s, ScanGradients<T> io) {
  int64_t row, chunk;
  if (!find_warp(s, &row, &chunk)) return;
  const Place p = place(s, row, chunk);
  T step[kLaneSteps], dy[kLaneSteps], C[kLaneSteps];
  step_sizes(s, p, step);
  load_steps(io.dy, p.at, p.count, s.aligned, dy);
  write_sum(step, io.sums + row * s.chunks + chunk);
  for (int64_t n = 0; n < s.state; ++n) {
    load_steps(s.C, p.weights + n * s.length, p.count, s.aligned, C);
    const T A = s.A[p.channel * s.state + n];
    Step<T> own = {T(1), T(0)};
#pragma unroll
    for (int i = kLaneSteps - 1; i >= 0; --i) {
      const T decay = decay_at(p, i, step[i], A);
      own = compose(own, Step<T>{decay, decay * (C[i] * dy[i])});
    }
    own = inclusive_scan<true>(own);
    if (threadIdx.x % kWarp == 0) {
      io.carries[(row * s.chunks + chunk) * s.state + n] = own.value;
    }
  }
}

// From what chunks pass on alone to what enters each from the one behind it, in place.
template <typename T>
__global__ void __launch_bounds__(kThreads) join_backward(Scan<T> s, ScanGradients<T> io) {
  int64_t row, n;
  if (!find_join(s, &row, &n)) return;
  const int lane = threadIdx.x % kWarp;
  const T A = s.A[row % s.channels * s.state + n];
  T* carries = io.carries + row * s.chunks * s.state + n;
  T carry = io.dlast ? io.dlast[row * s.state + n] : T(0);
  for (int64_t first = 0; first < s.chunks; first += kWarp) {
    const int64_t chunk = s.chunks - 1 - first - lane;
    Step<T> own = {T(1), T(0)};
    if (chunk >= 0) {
      own = {decay_of(io.sums[row * s.chunks + chunk], A), carries[chunk * s.state]};
    }
    const Step<T> inclusive = inclusive_scan<false>(own);
    const T enters = advance(exclusive_of<false>(inclusive), carry);
    if (chunk >= 0) carries[chunk * s.state] = enters;
    carry = __shfl_sync(kAllLanes, advance(inclusive, carry), kWarp - 1);
  }
}

// One block takes one chunk of up to block_rows rows of a group, kWarps at a time, and adds up what
// they give dB and dC in a fixed order.
template <typename T>
__global__ void __launch_bounds__(kThreads) scan_gradients(Scan<T> s, ScanGradients<T> io) {
  T(*parts)[2][kChunk] = reinterpret_cast<T(*)[2][kChunk]>(shared<T>());  // [kWarps]
  const int64_t row_blocks = (s.rows + io.block_rows - 1) / io.block_rows;
  const int64_t groups = s.batch * s.groups;
  const int64_t chunk = blockIdx.x / (row_blocks * groups);
  const int64_t group = blockIdx.x / row_blocks % groups;  // over the batch
  const int64_t row_block = blockIdx.x % row_blocks;
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;

  // Of dB or dC: the one step, and the sum over rows, that this thread is in charge of.
  const int which = threadIdx.x / kChunk, position = threadIdx.x % kChunk;
  T* sums = (which ? io.dC : io.dB) + (row_block * groups + group) * s.state * s.length +
            chunk * kChunk + position;
  const bool in_charge = chunk * kChunk + position < s.length;

  const int64_t begin = row_block * io.block_rows;
  const int64_t end = begin + io.block_rows < s.rows ? begin + io.block_rows : s.rows;
  for (int64_t first = begin; first < end; first += kWarps) {
    // A warp past the last row repeats that row, for the barriers, and gives nothing.
    const bool exists = first + warp < end;
    const int64_t in_group = exists ? first + warp : end - 1;
    const int64_t batch = group / s.groups;
    const int64_t row = batch * s.channels + group % s.groups * s.rows + in_group;
    const Place p = place(s, row, chunk);
    T step[kLaneSteps], u[kLaneSteps], dy[kLaneSteps], B[kLaneSteps], C[kLaneSteps];
    T dinput[kLaneSteps] = {}, dstep[kLaneSteps] = {};
    step_sizes(s, p, step);
    load_steps(s.u, p.at, p.count, s.aligned, u);
    load_steps(io.dy, p.at, p.count, s.aligned, dy);

    for (int64_t n = 0; n < s.state; ++n) {
      load_steps(s.B, p.weights + n * s.length, p.count, s.aligned, B);
      load_steps(s.C, p.weights + n * s.length, p.count, s.aligned, C);
      const T A = s.A[p.channel * s.state + n];
      T decay[kLaneSteps], before[kLaneSteps], h[kLaneSteps];
      Step<T> forward = {T(1), T(0)}, backward = {T(1), T(0)};
#pragma unroll
      for (int i = 0; i < kLaneSteps; ++i) {
        decay[i] = decay_at(p, i, step[i], A);
        forward = compose(forward, Step<T>{decay[i], step[i] * u[i] * B[i]});
      }
#pragma unroll
      for (int i = kLaneSteps - 1; i >= 0; --i) {
        backward = compose(backward, Step<T>{decay[i], decay[i] * (C[i] * dy[i])});
      }
      const T enters = io.states[(row * (s.chunks + 1) + chunk) * s.state + n];
      T state = advance(exclusive_of<false>(inclusive_scan<false>(forward)), enters);
#pragma unroll
      for (int i = 0; i < kLaneSteps; ++i) {
        before[i] = state;
        h[i] = state = decay[i] * state + step[i] * u[i] * B[i];
      }
      T carry = advance(exclusive_of<true>(inclusive_scan<true>(backward)),
                        io.carries[(row * s.chunks + chunk) * s.state + n]);
      T dA = T(0);
#pragma unroll
      for (int i = kLaneSteps - 1; i >= 0; --i) {
        const T g = C[i] * dy[i] + carry;
        const T dlog_decay = g * before[i] * decay[i];
        carry = decay[i] * g;
        dA += dlog_decay * step[i];
        dstep[i] += dlog_decay * A;
        dinput[i] += g * B[i];
        parts[warp][0][lane * kLaneSteps + i] = exists ? g * step[i] * u[i] : T(0);
        parts[warp][1][lane * kLaneSteps + i] = exists ? dy[i] * h[i] : T(0);
      }
      dA = warp_sum(dA);
      if (exists && lane == 0) {
        io.dA[((batch * s.chunks + chunk) * s.channels + p.channel) * s.state + n] = dA;
      }
      __syncthreads();
      if (in_charge) {
        T sum = first == begin ? T(0) : sums[n * s.length];
        for (int w = 0; w < kWarps; ++w) sum += parts[w][which][position];
        sums[n * s.length] = sum;
      }
      __syncthreads();
    }

    const T bias = s.delta_bias ? s.delta_bias[p.channel] : T(0);
    T raw[kLaneSteps], dD = T(0), dbias = T(0);
    load_steps(s.delta, p.at, p.count, s.aligned, raw);
#pragma unroll
    for (int i = 0; i < kLaneSteps; ++i) {
      dstep[i] += dinput[i] * u[i];
      if (s.softplus) dstep[i] *= sigmoid(raw[i] + bias);
      dinput[i] *= step[i];
      if (s.D) {  // zero times an infinite gradient would be NaN
        dinput[i] += s.D[p.channel] * dy[i];
        dD += dy[i] * u[i];
      }
      dbias += i < p.count ? dstep[i] : T(0);
    }
    dD = warp_sum(dD);
    dbias = warp_sum(dbias);
    if (!exists) continue;
    const int64_t sum_at = (batch * s.chunks + chunk) * s.channels + p.channel;
    if (lane == 0 && io.dD) io.dD[sum_at] = dD;
    if (lane == 0 && io.ddelta_bias) io.ddelta_bias[sum_at] = dbias;
    store_steps(io.du, p.at, p.count, s.aligned, dinput);
    store_steps(io.ddelta, p.at, p.count, s.aligned, dstep);
  }
}

template <typename T>
int64_t chunk_blocks(const Scan<T>& s) {
  return ceil_div(s.batch * s.channels, kWarps) * s.chunks;
}

template <typename T>
int64_t join_blocks(const Scan<T>& s) {
  return ceil_div(s.batch * s.channels * s.state, kWarps);
}

}  // namespace

template <typename T>
cudaError_t scan_forward(const Scan<T>& s, const ScanResults<T>& out, cudaStream_t stream) {
  cudaError_t error = launch(chunk_ends<T>, chunk_blocks(s), kThreads, 0, stream, s, out);
  if (error == cudaSuccess) {
    error = launch(join_forward<T>, join_blocks(s), kThreads, 0, stream, s, out);
  }
  if (error == cudaSuccess) {
    error = launch(chunk_outputs<T>, chunk_blocks(s), kThreads, 0, stream, s, out);
  }
  return error;
}

template <typename T>
cudaError_t scan_backward(const Scan<T>& s, const ScanGradients<T>& io, cudaStream_t stream) {
  cudaError_t error = launch(chunk_starts<T>, chunk_blocks(s), kThreads, 0, stream, s, io);
  if (error == cudaSuccess) {
    error = launch(join_backward<T>, join_blocks(s), kThreads, 0, stream, s, io);
  }
  if (error == cudaSuccess) {
    const int64_t blocks = ceil_div(s.rows, io.block_rows) * s.batch * s.groups * s.chunks;
    const int64_t shared_bytes = kWarps * 2 * kChunk * sizeof(T);
    error = launch(scan_gradients<T>, blocks, kThreads, shared_bytes, stream, s, io);
  }
  return error;
}

template cudaError_t scan_forward(const Scan<float>&, const ScanResults<float>&, cudaStream_t);
template cudaError_t scan_forward(const Scan<double>&, const ScanResults<double>&, cudaStream_t);
template cudaError_t scan_backward(const Scan<float>&, const ScanGradients<float>&, cudaStream_t);
template cudaError_t scan_backward(const Scan<double>&, const ScanGradients<double>&, cudaStream_t);

}  // namespace selective_scan::cuda
