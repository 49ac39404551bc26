// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// What the kernels share: clones for each instruction set, and loads and stores that convert.
#pragma once

#include <torch/headeronly/util/BFloat16.h>
#include <torch/headeronly/util/Half.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels.h"
#include "math.h"

// One version of a kernel for each instruction set, of which the machine's best runs. Not
// target_clones, which would compile all of them for registers of one width. SCAN_VERSIONS(define,
// T) expands define(T, suffix, target, width), width being the bytes of a register;
// SCAN_CHOOSE(kernel, arguments) calls the version to run.
#if defined(__x86_64__) && defined(__GNUC__)
#if defined(__clang__) ? __clang_major__ < 18 : __GNUC__ < 12
#error "the CPU kernels of selective_scan need GCC 12, Clang 18, or a newer one, on x86-64"
#endif
#define SCAN_DISPATCH 1
// clang-format off: one version a line
#define SCAN_VERSIONS(define, T)                                        \
  define(T, _plain, , 16)                                               \
  define(T, _avx2, __attribute__((target("arch=x86-64-v3"))), 32)       \
  define(T, _avx512, __attribute__((target("arch=x86-64-v4"))), 64)
// clang-format on
#define SCAN_CHOOSE(kernel, ...)                                                                   \
  switch (capability()) {                                                                          \
    case 2: return kernel##_avx512(__VA_ARGS__);                                                   \
    case 1: return kernel##_avx2(__VA_ARGS__);                                                     \
    default: return kernel##_plain(__VA_ARGS__);                                                   \
  }
#else
#define SCAN_DISPATCH 0
#define SCAN_VERSIONS(define, T) define(T, _plain, , 16)
#define SCAN_CHOOSE(kernel, ...) return kernel##_plain(__VA_ARGS__)
#endif

namespace selective_scan::cpu {
using c10::BFloat16;
using c10::Half;

template <typename T>
constexpr ScalarType type_of = std::is_same_v<T, double> ? ScalarType::Double : ScalarType::Float;

// `count` values from `offset` on, as T: in place where they are T already, else in `scratch`.
template <typename T>
SCAN_INLINE const T* load(const Input& in, int64_t offset, int64_t count, T* scratch) {
  if (in.type == type_of<T>) return static_cast<const T*>(in.data) + offset;
  if (in.type == ScalarType::Half) {
    const Half* from = static_cast<const Half*>(in.data) + offset;
    for (int64_t t = 0; t < count; ++t) scratch[t] = static_cast<float>(from[t]);
  } else {
    const BFloat16* from = static_cast<const BFloat16*>(in.data) + offset;
    for (int64_t t = 0; t < count; ++t) scratch[t] = static_cast<float>(from[t]);
  }
  return scratch;
}

// Ask for `count` values from `offset` on, which the processor could not guess: a kernel goes
// through many rows at once, or back through them.
SCAN_INLINE void prefetch(const Input& in, int64_t offset, int64_t count) {
#if defined(__GNUC__)
  const int64_t size = in.type == ScalarType::Double ? 8 : in.type == ScalarType::Float ? 4 : 2;
  const char* from = static_cast<const char*>(in.data) + offset * size;
  for (int64_t i = 0; i < count * size; i += 64) __builtin_prefetch(from + i);
#endif
}

template <typename T>
SCAN_INLINE void store(const Output& out, int64_t offset, int64_t count, const T* from) {
  if (out.type == type_of<T>) {
    std::memcpy(static_cast<T*>(out.data) + offset, from, count * sizeof(T));
  } else if (out.type == ScalarType::Half) {
    Half* to = static_cast<Half*>(out.data) + offset;
    for (int64_t t = 0; t < count; ++t) to[t] = static_cast<float>(from[t]);
  } else {
    BFloat16* to = static_cast<BFloat16*>(out.data) + offset;
    for (int64_t t = 0; t < count; ++t) to[t] = static_cast<float>(from[t]);
  }
}

}  // namespace selective_scan::cpu
