// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// Put before each source of csrc/cuda: its ops are registered for CPU tensors, in a library of
// their own beside selective_scan.
#pragma once

#include <torch/csrc/stable/library.h>

#undef STABLE_TORCH_LIBRARY_IMPL
#define STABLE_TORCH_LIBRARY_IMPL(library, key, m)                                                 \
  _STABLE_TORCH_LIBRARY_IMPL(selective_scan_emulated, CPU, m, C10_UID)
