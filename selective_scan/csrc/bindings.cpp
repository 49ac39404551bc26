// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The library of the ops. Each device's folder adds its own kernels to it.
#include <torch/csrc/stable/library.h>

#include <cstdint>
#include <tuple>

#include "checks.h"
#include "cpu/kernels.h"
#include "schemas.h"

namespace selective_scan {

#ifdef USE_CUDA
constexpr bool kCuda = true;
#else
constexpr bool kCuda = false;
#endif

// The torch ABI built for, the CPU capability in use (an index into library.CPU_CAPABILITIES),
// whether CUDA kernels were built, and the chunks of the two ops.
std::tuple<int64_t, int64_t, bool, int64_t, int64_t> build_info() {
  return {static_cast<int64_t>(TORCH_TARGET_VERSION), cpu::capability(), kCuda, kChunk, kMapChunk};
}

}  // namespace selective_scan

STABLE_TORCH_LIBRARY(selective_scan, m) {
  m.def(selective_scan::schemas::kForward);
  m.def(selective_scan::schemas::kBackward);
  m.def(selective_scan::schemas::kMapForward);
  m.def(selective_scan::schemas::kMapBackward);
  m.def("build_info() -> (int, int, bool, int, int)");
}

STABLE_TORCH_LIBRARY_IMPL(selective_scan, CompositeExplicitAutograd, m) {
  m.impl("build_info", TORCH_BOX(&selective_scan::build_info));
}
