// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// Elementary functions as branch-free code that the compiler can vectorise, unlike libm's.
// Every constant is ln 2 in two parts, a bound of the type, or a coefficient of a minimax
// polynomial: that of least relative error on its interval, from the Remez exchange algorithm in 50
// digits, then rounded to the type.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

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
  using Bits = uint32_t;
  static constexpr int mantissa = 23;
  static constexpr float round = 12582912.f;  // 1.5 * 2^23: adding it leaves an integer
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  // exp(x) is a normal number between these: from 2^-126 on, and below 2^128
  static constexpr float lowest = -87.33f, highest = 88.72283f;
  // clang-format off: coefficients fill their lines
  // exp(r), |r| <= ln 2 / 2, with 1 + r given, so that exp(0) is 1; error 1.05e-7
  static constexpr float exp[] = {
      1.f, 1.f, 0.499992318f, 0.166671145f, 0.0418901173f, 0.00831252374f};
  // log1p(e) / e, 0 <= e <= 1, with 1 given; error 3.3e-8
  static constexpr float log1p[] = {
      1.f, -0.49999648f, 0.333213227f, -0.248571644f, 0.191536578f, -0.137538083f, 0.0792046046f,
      -0.0300658339f, 0.00536483452f};
  // clang-format on
};

template <>
struct Float<double> {
  using Bits = uint64_t;
  static constexpr int mantissa = 52;
  static constexpr double round = 6755399441055744.;  // 1.5 * 2^52
  static constexpr double ln2_high = 0.693147180369123816490, ln2_low = 1.90821492927058770002e-10;
  static constexpr double lowest = -708.39, highest = 709.782712893383;  // 2^-1022, 2^1024
  // clang-format off
  // as above; errors 3.6e-18 and 9.5e-18
  static constexpr double exp[] = {
      1., 1., 0.50000000000000106, 0.16666666666666413, 0.041666666666530256,
      0.0083333333334943488, 0.0013888888943600868, 0.00019841269506752296, 2.4801493132489433e-5,
      2.7557586284114989e-6, 2.7630235362495025e-7, 2.5000068900896811e-8};
  static constexpr double log1p[] = {
      1., -0.4999999999999946, 0.3333333333323504, -0.2499999999367637, 0.1999999979131663,
      -0.16666662498385439, 0.14285658895738357, -0.12499479599807332, 0.11107505915853861,
      -0.099810145660879939, 0.090131525039553837, -0.080812088360907176, 0.070355377670750582,
      -0.05750196532543902, 0.042300073735778545, -0.026743934238370888, 0.013838572161988217,
      -0.0055431003497399387, 0.0015957381662375457, -0.00029176060195713634,
      2.5329880177811935e-5};
  // clang-format on
};

// sum of coefficients[i] x^i, in Horner's order
template <typename T, std::size_t n, std::size_t i = 0>
SCAN_INLINE T polynomial(const T (&coefficients)[n], T x) {
  if constexpr (i + 1 == n) {
    return coefficients[i];
  } else {
    return coefficients[i] + x * polynomial<T, n, i + 1>(coefficients, x);
  }
}

// exp(x); zero where the result would not be a normal number.
template <typename T>
SCAN_INLINE T exp(T x) {
  using F = Float<T>;
  constexpr T log2e = T(1.44269504088896340736);
  const T shifted = x * log2e + F::round;
  const T n = shifted - F::round;  // x / ln 2, rounded
  const T r = (x - n * F::ln2_high) - n * F::ln2_low;
  T result = polynomial(F::exp, r);
  // Times 2^n: n is added to the exponent, which shifts out the rounding constant's own bits.
  typename F::Bits bits, power;
  std::memcpy(&bits, &result, sizeof(T));
  std::memcpy(&power, &shifted, sizeof(T));
  bits += power << F::mantissa;
  std::memcpy(&result, &bits, sizeof(T));
  // Outside the bounds, and of NaN, those bits mean nothing.
  result = x < F::lowest ? T(0) : result;
  return x <= F::highest ? result : x + std::numeric_limits<T>::infinity();
}

template <typename T>
struct Softplus {
  T value, derivative;
};

// log(1 + exp(x)) = max(x, 0) + log1p(e) with e = exp(-|x|) in [0, 1]; and its derivative,
// sigmoid(x).
template <typename T>
SCAN_INLINE Softplus<T> softplus(T x) {
  const T e = exp(-std::fabs(x));
  const T log1p = e * polynomial(Float<T>::log1p, e);
  return {(x < T(0) ? T(0) : x) + log1p, (x < T(0) ? e : T(1)) / (T(1) + e)};
}

}  // namespace selective_scan::cpu
