// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// What the host code asks of torch on CUDA: its stream, and a product that autocast leaves alone.
#pragma once

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/macros.h>
#include <torch/headeronly/util/shim_utils.h>

#include <array>
#include <cstdint>

#include "../tensors.h"
#include "kernels.h"

namespace selective_scan::cuda {

// a b into out. The out variant, as autocast would run the other in half precision.
inline void matmul_into(const Tensor& out, const Tensor& a, const Tensor& b) {
  std::array<StableIValue, 3> stack{torch::stable::detail::from(a), torch::stable::detail::from(b),
                                    torch::stable::detail::from(out)};
  TORCH_ERROR_CODE_CHECK(torch_call_dispatcher("aten::mm", "out", stack.data(), TORCH_ABI_VERSION));
  torch::stable::detail::to<Tensor>(stack[0]);  // takes over the reference that came back
}

// The stream that torch runs on at present on this device.
inline cudaStream_t current_stream(int32_t device) {
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(device, &stream));
  return static_cast<cudaStream_t>(stream);
}

}  // namespace selective_scan::cuda
