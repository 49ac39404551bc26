// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// What both ops' kernels are made of: elementary functions, loads and stores of any type, and the
// step of a linear recurrence.
#pragma once

#include <torch/headeronly/util/BFloat16.h>
#include <torch/headeronly/util/Half.h>

#include <cmath>
#include <type_traits>

#include "kernels.h"

namespace selective_scan::cuda {

using c10::BFloat16;
using c10::Half;

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

// The shared memory of a block, as each kernel divides it.
alignas(16) extern __shared__ unsigned char scratch[];

template <typename T>
__device__ inline T* shared() {
  return reinterpret_cast<T*>(scratch);
}

constexpr double kLog2E = 1.44269504088896340736;

// Those of double are calls, not inlined: they are long, many, and never in anyone's inner loop.
__device__ inline float exp2_of(float x) { return exp2f(x); }
__device__ inline float exp_of(float x) { return expf(x); }
__device__ inline float log1p_of(float x) { return log1pf(x); }
static __device__ __noinline__ double exp2_of(double x) { return exp2(x); }
static __device__ __noinline__ double exp_of(double x) { return exp(x); }
static __device__ __noinline__ double log1p_of(double x) { return log1p(x); }

// log(1 + exp(x)) without overflow.
template <typename T>
__device__ inline T softplus(T x) {
  return (x > T(0) ? x : T(0)) + log1p_of(exp_of(x > T(0) ? -x : x));
}

template <typename T>
__device__ inline T sigmoid(T x) {
  const T e = exp_of(x > T(0) ? -x : x);
  return (x > T(0) ? T(1) : e) / (T(1) + e);
}

template <typename T>
__device__ inline T load(const Input& in, int64_t at) {
  if constexpr (std::is_same_v<T, double>) {
    return static_cast<const double*>(in.data)[at];
  } else {
    if (in.type == ScalarType::Half) {
      return static_cast<float>(static_cast<const Half*>(in.data)[at]);
    }
    if (in.type == ScalarType::BFloat16) {
      return static_cast<float>(static_cast<const BFloat16*>(in.data)[at]);
    }
    return static_cast<const float*>(in.data)[at];
  }
}

template <typename T>
__device__ inline void store(const Output& out, int64_t at, T value) {
  if constexpr (std::is_same_v<T, double>) {
    static_cast<double*>(out.data)[at] = value;
  } else {
    if (out.type == ScalarType::Half) {
      static_cast<Half*>(out.data)[at] = value;
    } else if (out.type == ScalarType::BFloat16) {
      static_cast<BFloat16*>(out.data)[at] = value;
    } else {
      static_cast<float*>(out.data)[at] = value;
    }
  }
}

// Consecutive steps of a row that one lane works on.
constexpr int kLaneSteps = 4;

template <typename E>
struct alignas(sizeof(E) * kLaneSteps < 16 ? sizeof(E) * kLaneSteps : 16) Pack {
  E values[kLaneSteps];
};

template <typename E, typename T>
__device__ inline void load_pack(const void* data, int64_t at, int count, bool aligned,
                                 T (&to)[kLaneSteps]) {
  const E* from = static_cast<const E*>(data) + at;
  if (aligned && count == kLaneSteps) {
    const Pack<E> pack = *reinterpret_cast<const Pack<E>*>(from);
#pragma unroll
    for (int i = 0; i < kLaneSteps; ++i) to[i] = static_cast<T>(pack.values[i]);
  } else {
#pragma unroll
    for (int i = 0; i < kLaneSteps; ++i) to[i] = i < count ? static_cast<T>(from[i]) : T(0);
  }
}

// The first `count` of kLaneSteps values from `at` on; zero for the others.
template <typename T>
__device__ inline void load_steps(const Input& in, int64_t at, int count, bool aligned,
                                  T (&to)[kLaneSteps]) {
  if constexpr (std::is_same_v<T, double>) {
    load_pack<double>(in.data, at, count, aligned, to);
  } else if (in.type == ScalarType::Half) {
    load_pack<Half>(in.data, at, count, aligned, to);
  } else if (in.type == ScalarType::BFloat16) {
    load_pack<BFloat16>(in.data, at, count, aligned, to);
  } else {
    load_pack<float>(in.data, at, count, aligned, to);
  }
}

template <typename E, typename T>
__device__ inline void store_pack(void* data, int64_t at, int count, bool aligned,
                                  const T (&from)[kLaneSteps]) {
  E* to = static_cast<E*>(data) + at;
  if (aligned && count == kLaneSteps) {
    Pack<E> pack;
#pragma unroll
    for (int i = 0; i < kLaneSteps; ++i) pack.values[i] = static_cast<E>(from[i]);
    *reinterpret_cast<Pack<E>*>(to) = pack;
  } else {
#pragma unroll
    for (int i = 0; i < kLaneSteps; ++i) {
      if (i < count) to[i] = static_cast<E>(from[i]);
    }
  }
}

template <typename T>
__device__ inline void store_steps(const Output& out, int64_t at, int count, bool aligned,
                                   const T (&from)[kLaneSteps]) {
  if constexpr (std::is_same_v<T, double>) {
    store_pack<double>(out.data, at, count, aligned, from);
  } else if (out.type == ScalarType::Half) {
    store_pack<Half>(out.data, at, count, aligned, from);
  } else if (out.type == ScalarType::BFloat16) {
    store_pack<BFloat16>(out.data, at, count, aligned, from);
  } else {
    store_pack<float>(out.data, at, count, aligned, from);
  }
}

// h -> decay * h + value
template <typename T>
struct Step {
  T decay, value;
};

// The decay may be a product of many: a zero state stays zero where growing ones are infinite, and
// an infinite state infinite where falling ones are zero, though none of them alone is.
template <typename T>
__device__ inline T advance(const Step<T>& step, T h) {
  if (h == T(0)) return step.value;
  if (step.decay == T(0) && h - h != T(0)) return h + step.value;  // infinite, or NaN
  return step.decay * h + step.value;
}

template <typename T>
__device__ inline Step<T> compose(const Step<T>& first, const Step<T>& second) {
  return {first.decay * second.decay, advance(second, first.value)};
}

// From the lane `offset` before this one, or after it in a reverse scan.
template <bool reverse, typename T>
__device__ inline T from_before(T value, int offset) {
  return reverse ? __shfl_down_sync(kAllLanes, value, offset)
                 : __shfl_up_sync(kAllLanes, value, offset);
}

template <bool reverse>
__device__ inline bool has_before(int offset) {
  const int lane = threadIdx.x % kWarp;
  return reverse ? lane + offset < kWarp : lane >= offset;
}

// The steps of the lanes up to this one, or from the last down to this one, as one step.
template <bool reverse, typename T>
__device__ inline Step<T> inclusive_scan(Step<T> own) {
#pragma unroll
  for (int offset = 1; offset < kWarp; offset *= 2) {
    const Step<T> before = {from_before<reverse>(own.decay, offset),
                            from_before<reverse>(own.value, offset)};
    if (has_before<reverse>(offset)) own = compose(before, own);
  }
  return own;
}

// As inclusive_scan, of which this takes the result, without the lane's own step.
template <bool reverse, typename T>
__device__ inline Step<T> exclusive_of(const Step<T>& inclusive) {
  const Step<T> before = {from_before<reverse>(inclusive.decay, 1),
                          from_before<reverse>(inclusive.value, 1)};
  return has_before<reverse>(1) ? before : Step<T>{T(1), T(0)};
}

template <typename T>
__device__ inline T warp_sum(T value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, offset);
  }
  return value;
}

template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), int64_t blocks, int threads, int64_t shared_bytes,
                   cudaStream_t stream, Arguments&&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = static_cast<size_t>(shared_bytes);
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...);
}

}  // namespace selective_scan::cuda
