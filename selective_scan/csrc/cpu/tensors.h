// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// Tensors as the kernels take them.
#pragma once

#include <torch/csrc/stable/ops.h>

#include <cstdint>
#include <initializer_list>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "../checks.h"
#include "kernels.h"

namespace selective_scan::cpu {

inline Tensor packed(const Tensor& tensor) {
  return tensor.is_contiguous() ? tensor : torch::stable::contiguous(tensor);
}

inline OptionalTensor packed(const OptionalTensor& tensor) {
  return tensor ? OptionalTensor(packed(*tensor)) : std::nullopt;
}

inline Tensor new_empty(const Tensor& like, std::initializer_list<int64_t> shape, ScalarType type) {
  return torch::stable::new_empty(like, shape, type);
}

// Ask for huge pages under a large new tensor: the first touch of its many small pages would take
// longer than the scan. Advice only, so that a refusal changes nothing.
inline Tensor with_huge_pages(const Tensor& tensor) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t page = uintptr_t{1} << 21;
  const auto begin = reinterpret_cast<uintptr_t>(tensor.mutable_data_ptr());
  const uintptr_t first = (begin + page - 1) & ~(page - 1);
  const uintptr_t end = (begin + tensor.numel() * tensor.element_size()) & ~(page - 1);
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
  return tensor;
}

inline Input input(const Tensor& tensor) { return {tensor.const_data_ptr(), tensor.scalar_type()}; }

inline Output output(const Tensor& tensor) {
  return {tensor.mutable_data_ptr(), tensor.scalar_type()};
}

template <typename T>
const T* data(const Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}

template <typename T>
const T* data(const OptionalTensor& tensor) {
  return tensor ? data<T>(*tensor) : nullptr;
}

template <typename T>
T* mutable_data(const Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

// The sum over the first dimension, which holds parts, in the shape and type of `like`.
inline Tensor total(const Tensor& parts, const Tensor& like) {
  const int64_t first[] = {0};
  const Tensor sum = torch::stable::sum(parts, torch::headeronly::IntHeaderOnlyArrayRef(first, 1));
  return torch::stable::to(torch::stable::view(sum, like.sizes()), like.scalar_type());
}

}  // namespace selective_scan::cpu
