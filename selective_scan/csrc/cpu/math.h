// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// Elementary functions as branch-free code that the compiler can vectorise, unlike libm's.
// Every constant is a Taylor coefficient, ln 2 in two parts, or a bound of the type.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__GNUC__)
#define SCAN_INLINE inline __attribute__((always_inline))
#else
#define SCAN_INLINE inline
#endif

namespace selective_scan::cpu {

template <typename T>
struct Float;

template <>
struct Float<float> {
  using Bits = int32_t;
  static constexpr int mantissa = 23;
  static constexpr Bits bias = 127;
  static constexpr float round = 12582912.f;  // 1.5 * 2^23: adding it leaves an integer
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  static constexpr float lowest = -87.33f, highest = 89.f;  // exp is 0 below, infinite above
  static constexpr int exp_terms = 6;    // (ln 2 / 2)^7 / 7! = 1.2e-7
  static constexpr int atanh_terms = 7;  // (1/9)^7 / 15 = 1.4e-8
};

template <>
struct Float<double> {
  using Bits = int64_t;
  static constexpr int mantissa = 52;
  static constexpr Bits bias = 1023;
  static constexpr double round = 6755399441055744.;  // 1.5 * 2^52
  static constexpr double ln2_high = 0.693147180369123816490, ln2_low = 1.90821492927058770002e-10;
  static constexpr double lowest = -708.39, highest = 710.;
  static constexpr int exp_terms = 13;    // (ln 2 / 2)^14 / 14! = 4e-18
  static constexpr int atanh_terms = 16;  // (1/9)^16 / 33 = 2e-17
};

// 1 / n!
template <typename T>
constexpr T inverse_factorial(int n) {
  T product = T(1);
  for (int i = 2; i <= n; ++i) product *= T(i);
  return T(1) / product;
}

// sum of x^(i - from) / i!, i = from..n
template <typename T, int n, int from = 0>
SCAN_INLINE T exp_series(T x) {
  constexpr T coefficient = inverse_factorial<T>(from);
  if constexpr (from == n) {
    return coefficient;
  } else {
    return coefficient + x * exp_series<T, n, from + 1>(x);
  }
}

// 2^(n + offset) where `shifted` is n + round.
template <typename T>
SCAN_INLINE T power_of_two(T shifted, typename Float<T>::Bits offset) {
  using F = Float<T>;
  using Bits = typename F::Bits;
  Bits bits;
  std::memcpy(&bits, &shifted, sizeof(T));
  // The rounding constant's own bits are shifted out.
  bits = static_cast<Bits>(
      static_cast<std::make_unsigned_t<Bits>>(bits + F::bias + offset) << F::mantissa);
  T power;
  std::memcpy(&power, &bits, sizeof(T));
  return power;
}

// exp(x) in two factors: that of the remainder of x / ln 2, and what power_of_two takes.
template <typename T>
struct SplitExp {
  T factor, shifted;
};

template <typename T>
SCAN_INLINE SplitExp<T> split_exp(T x) {
  using F = Float<T>;
  constexpr T log2e = T(1.44269504088896340736);
  const T shifted = x * log2e + F::round;
  const T n = shifted - F::round;  // x / ln 2, rounded
  const T r = (x - n * F::ln2_high) - n * F::ln2_low;
  return {exp_series<T, F::exp_terms>(r), shifted};
}

// exp(x); zero where the result would not be a normal number.
template <typename T>
SCAN_INLINE T exp(T x) {
  using F = Float<T>;
  T clamped = x < F::lowest ? F::lowest : x;  // comparisons in this order pass NaN on
  clamped = clamped > F::highest ? F::highest : clamped;
  const SplitExp<T> split = split_exp(clamped);
  // By way of 2^(n-1), as 2^n itself is out of range for the largest results.
  const T result = split.factor * power_of_two(split.shifted, -1) * T(2);
  return x < F::lowest ? T(0) : result;
}

// exp(-|x|), at least the smallest normal number.
template <typename T>
SCAN_INLINE T exp_minus_abs(T x) {
  using F = Float<T>;
  const T y = x < T(0) ? x : -x;
  const SplitExp<T> split = split_exp(y < F::lowest ? F::lowest : y);
  return split.factor * power_of_two(split.shifted, 0);
}

// sum of x^i / (2i + 1), i = 0..n-1
template <typename T, int n, int i = 0>
SCAN_INLINE T atanh_series(T x) {
  if constexpr (i == n - 1) {
    return T(1) / T(2 * i + 1);
  } else {
    return T(1) / T(2 * i + 1) + x * atanh_series<T, n, i + 1>(x);
  }
}

template <typename T>
struct Softplus {
  T value, derivative;
};

// log(1 + exp(x)) = max(x, 0) + log1p(e) with e = exp(-|x|) in (0, 1], where
// log1p(e) = 2 atanh(e / (2 + e)) has an argument of at most 1/3; and its derivative, sigmoid(x).
template <typename T>
SCAN_INLINE Softplus<T> softplus(T x) {
  const T e = exp_minus_abs(x);
  const T s = e / (T(2) + e);
  const T log1p = T(2) * s * atanh_series<T, Float<T>::atanh_terms>(s * s);
  return {(x > T(0) ? x : T(0)) + log1p, (x < T(0) ? e : T(1)) / (T(1) + e)};
}

}  // namespace selective_scan::cpu
