// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The library of emulated ops, and what the host code asks of torch's CUDA part.
#include <cuda_runtime.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/library.h>

#include <cstring>

#include "schemas.h"

namespace selective_scan::cuda {
alignas(16) unsigned char scratch[emulation::kMostShared];
}

extern "C" {

AOTITorchError aoti_torch_create_device_guard(int32_t, DeviceGuardHandle* guard) {
  *guard = nullptr;
  return 0;
}

AOTITorchError aoti_torch_delete_device_guard(DeviceGuardHandle) { return 0; }

AOTITorchError aoti_torch_get_current_cuda_stream(int32_t, void** stream) {
  *stream = nullptr;
  return 0;
}

AOTITorchError torch_c10_cuda_check_msg(int32_t error, const char*, const char*, uint32_t, bool,
                                        char** message) {
  *message = error == 0 ? nullptr : strdup("the emulated launch was refused");
  return 0;
}

void torch_c10_cuda_free_error_msg(char* message) { free(message); }
}

namespace {
void run_last_thread_first(bool on) { emulation::reversed = on; }
}  // namespace

STABLE_TORCH_LIBRARY(selective_scan_emulated, m) {
  m.def(selective_scan::schemas::kForward);
  m.def(selective_scan::schemas::kBackward);
  m.def(selective_scan::schemas::kMapForward);
  m.def(selective_scan::schemas::kMapBackward);
  m.def("run_last_thread_first(bool on) -> ()");
}

_STABLE_TORCH_LIBRARY_IMPL(selective_scan_emulated, CompositeExplicitAutograd, m, C10_UID) {
  m.impl("run_last_thread_first", TORCH_BOX(&run_last_thread_first));
}
