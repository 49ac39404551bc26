// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The schemas of the ops. Each device's folder adds its own kernels to them.
#include <torch/csrc/stable/library.h>

#include <cstdint>
#include <tuple>

#include "checks.h"
#include "cpu/kernels.h"

namespace selective_scan {

// The torch ABI built for, the CPU capability in use (an index into ops.CPU_CAPABILITIES), whether
// CUDA kernels were built, and the chunk.
std::tuple<int64_t, int64_t, bool, int64_t> build_info() {
  return {static_cast<int64_t>(TORCH_TARGET_VERSION), cpu::capability(), false, kChunk};
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
  m.def("build_info() -> (int, int, bool, int)");
}

STABLE_TORCH_LIBRARY_IMPL(selective_scan, CompositeExplicitAutograd, m) {
  m.impl("build_info", TORCH_BOX(&selective_scan::build_info));
}
