// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The schemas of the ops. Each device's folder adds its own kernels to them.
#include <torch/csrc/stable/library.h>

#include <cstdint>
#include <tuple>

#include "checks.h"
#include "cpu/kernels.h"

namespace selective_scan {

#ifdef USE_CUDA
constexpr bool kCuda = true;
#else
constexpr bool kCuda = false;
#endif

// The torch ABI built for, the CPU capability in use (an index into ops.CPU_CAPABILITIES), whether
// CUDA kernels were built, and the chunks of the two ops.
std::tuple<int64_t, int64_t, bool, int64_t, int64_t> build_info() {
  return {static_cast<int64_t>(TORCH_TARGET_VERSION), cpu::capability(), kCuda, kChunk, kMapChunk};
}

}  // namespace selective_scan

STABLE_TORCH_LIBRARY(selective_scan, m) {
  // -> y (batch, channels, length), last state (batch, channels, state), and the states
  // before each chunk and after the last (batch, channels, chunks + 1, state), for backward.
  m.def(
      "forward(Tensor u, Tensor delta, Tensor A, Tensor B, Tensor C, Tensor? D, "
      "Tensor? delta_bias, bool delta_softplus, ScalarType out_dtype) "
      "-> (Tensor, Tensor, Tensor)");
  // -> the gradients of u, delta, A, B, C, D, delta_bias; those of absent arguments are empty.
  m.def(
      "backward(Tensor dy, Tensor? dlast, Tensor u, Tensor delta, Tensor A, Tensor B, Tensor C, "
      "Tensor? D, Tensor? delta_bias, Tensor states, bool delta_softplus) "
      "-> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)");
  // The four routes over a map, added up. projections, (batch, height, width, routes,
  // rank + 2 * state), holds [dt | B | C] of each position and route, and the step sizes are
  // <dt_weight[route, channel], dt> + delta_bias. -> y (batch, height, width, channels), and the
  // states before each chunk of each route and after the last, for backward:
  // (batch, routes, chunks + 1, state, channels), chunks counted along the route's own order.
  m.def(
      "ss2d_forward(Tensor x, Tensor projections, Tensor dt_weight, Tensor A, Tensor? D, "
      "Tensor? delta_bias, bool delta_softplus, ScalarType out_dtype) -> (Tensor, Tensor)");
  // -> the gradients of x, projections, dt_weight, A, D, delta_bias; those of absent arguments are
  // empty.
  m.def(
      "ss2d_backward(Tensor dy, Tensor x, Tensor projections, Tensor dt_weight, Tensor A, "
      "Tensor? D, Tensor? delta_bias, Tensor states, bool delta_softplus) "
      "-> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)");
  m.def("build_info() -> (int, int, bool, int, int)");
}

STABLE_TORCH_LIBRARY_IMPL(selective_scan, CompositeExplicitAutograd, m) {
  m.impl("build_info", TORCH_BOX(&selective_scan::build_info));
}
