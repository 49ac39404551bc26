// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// From torch's tensors to what kernels of any device take, and the sums that finish their work.
#pragma once

#include <torch/csrc/stable/ops.h>

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "checks.h"
#include "values.h"

namespace selective_scan {

inline Tensor packed(const Tensor& tensor) {
  return tensor.is_contiguous() ? tensor : torch::stable::contiguous(tensor);
}

inline OptionalTensor packed(const OptionalTensor& tensor) {
  return tensor ? OptionalTensor(packed(*tensor)) : std::nullopt;
}

inline Tensor new_empty(const Tensor& like, std::initializer_list<int64_t> shape, ScalarType type) {
  return torch::stable::new_empty(like, shape, type);
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

// The sum over the first dimension. torch's sum has one order, whatever the device's load.
inline Tensor sum_first(const Tensor& parts) {
  const int64_t first[] = {0};
  return torch::stable::sum(parts, torch::headeronly::IntHeaderOnlyArrayRef(first, 1));
}

// The same values in the shape and type of `like`.
inline Tensor shaped(const Tensor& values, const Tensor& like) {
  return torch::stable::to(torch::stable::view(values, like.sizes()), like.scalar_type());
}

// The sum over the first dimension, which holds parts, in the shape and type of `like`.
inline Tensor total(const Tensor& parts, const Tensor& like) {
  return shaped(sum_first(parts), like);
}

}  // namespace selective_scan
