// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// A tensor's values as kernels of any device take them: a pointer, and the type to read or write.
#pragma once

#include <torch/headeronly/core/ScalarType.h>

namespace selective_scan {

using torch::headeronly::ScalarType;

struct Input {
  const void* data;
  ScalarType type;
};

struct Output {
  void* data;
  ScalarType type;
};

}  // namespace selective_scan
