// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// What every kernel, on any device, asks of its arguments. The fakes and the reference hold the
// same rules, with the same messages, in selective_scan/checks.py.
#pragma once

#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace selective_scan {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;
using OptionalTensor = std::optional<Tensor>;

// Steps from one kept state to the next: forward keeps the state before each chunk, and backward
// recomputes the states inside a chunk from it. The state after the last chunk is kept too, so that
// there are never fewer than two and torch.export need not treat a single one as a special case.
constexpr int64_t kChunk = 128;

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename... Parts>
void check(bool ok, const Parts&... parts) {
  if (ok) return;
  std::ostringstream message;
  (message << ... << parts);
  throw std::runtime_error(message.str());
}

inline const char* name(ScalarType type) {
  switch (type) {
    case ScalarType::Float: return "float32";
    case ScalarType::Double: return "float64";
    case ScalarType::Half: return "float16";
    case ScalarType::BFloat16: return "bfloat16";
    case ScalarType::Int: return "int32";
    case ScalarType::Long: return "int64";
    case ScalarType::Bool: return "bool";
    default: return "another type";
  }
}

template <typename Sizes>
std::string list(const Sizes& sizes) {
  std::ostringstream text;
  const char* separator = "[";
  for (int64_t size : sizes) {
    text << separator << size;
    separator = ", ";
  }
  text << "]";
  return text.str();
}

inline std::string device_name(const Tensor& tensor) {
  if (tensor.is_cpu()) return "cpu";
  if (tensor.is_cuda()) return "cuda:" + std::to_string(tensor.get_device_index());
  return "another device";
}

inline void check_shape(const char* arg, const Tensor& tensor, std::initializer_list<int64_t> shape) {
  const auto sizes = tensor.sizes();
  bool same = sizes.size() == shape.size();
  size_t i = 0;
  for (int64_t size : shape) same = same && sizes[i++] == size;
  check(same, arg, " must have shape ", list(shape), ", got ", list(sizes));
}

inline void check_device(const char* arg, const Tensor& tensor, const Tensor& u) {
  check(device_name(tensor) == device_name(u), arg, " must be on the device of u, ",
        device_name(u), ", got ", device_name(tensor));
}

inline bool is_low(ScalarType type) {
  return type == ScalarType::Float || type == ScalarType::Half || type == ScalarType::BFloat16;
}

inline ScalarType state_type(ScalarType input) {
  return input == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
}

// A tensor in the state's type.
inline void check_state(const char* arg, const Tensor& tensor,
                        std::initializer_list<int64_t> shape, const Tensor& u) {
  check_shape(arg, tensor, shape);
  check_device(arg, tensor, u);
  const ScalarType input = u.scalar_type(), got = tensor.scalar_type();
  check(got == state_type(input), arg, " must be ", name(state_type(input)), " for ", name(input),
        " u, got ", name(got));
}

struct Sizes {
  int64_t batch, channels, length, state, groups;
  int64_t rows() const { return channels / groups; }  // channels that share one B and one C
  int64_t chunks() const { return ceil_div(length, kChunk); }
};

inline Sizes check_inputs(const Tensor& u, const Tensor& delta, const Tensor& A, const Tensor& B,
                          const Tensor& C, const OptionalTensor& D,
                          const OptionalTensor& delta_bias, ScalarType out_type) {
  check(u.dim() == 3, "u must be (batch, channels, length), got ", u.dim(), " dimensions");
  check(A.dim() == 2, "A must be (channels, state), got ", A.dim(), " dimensions");
  check(B.dim() == 4, "B must be (batch, groups, state, length), got ", B.dim(), " dimensions");
  const Sizes s{u.size(0), u.size(1), u.size(2), A.size(1), B.size(1)};
  check(s.batch > 0, "u must not be empty, got batch 0");
  check(s.channels > 0, "u must not be empty, got channels 0");
  check(s.length > 0, "u must not be empty, got length 0");
  check(s.state > 0, "A must not be empty, got state 0");
  check(s.groups > 0, "B must not be empty, got groups 0");
  check(s.channels % s.groups == 0, "u must have channels that groups divide, got ", s.channels,
        " channels, ", s.groups, " groups");

  const ScalarType type = u.scalar_type();
  const ScalarType state = state_type(type);
  const bool high = type == ScalarType::Double;
  check(high || is_low(type), "u must be float64, float32, float16 or bfloat16, got ", name(type));
  const auto check_input = [&](const char* arg, const Tensor& tensor,
                               std::initializer_list<int64_t> shape) {
    check_shape(arg, tensor, shape);
    check_device(arg, tensor, u);
    const ScalarType got = tensor.scalar_type();
    check(high ? got == ScalarType::Double : is_low(got), arg, " must be ",
          high ? "float64" : "float32 or float16 or bfloat16", " for ", name(type), " u, got ",
          name(got));
  };
  check_input("delta", delta, {s.batch, s.channels, s.length});
  check_state("A", A, {s.channels, s.state}, u);
  check_input("B", B, {s.batch, s.groups, s.state, s.length});
  check_input("C", C, {s.batch, s.groups, s.state, s.length});
  if (D) check_state("D", *D, {s.channels}, u);
  if (delta_bias) check_state("delta_bias", *delta_bias, {s.channels}, u);
  check(out_type == type || out_type == state, "out_dtype must be ", name(type),
        type == state ? "" : " or float32", " for ", name(type), " u, got ", name(out_type));
  return s;
}

// What backward is given beyond the arguments of forward; the type of dy is checked as out_dtype.
inline void check_gradients(const Sizes& s, const Tensor& dy, const OptionalTensor& dlast,
                            const Tensor& states, const Tensor& u) {
  check_shape("dy", dy, {s.batch, s.channels, s.length});
  check_device("dy", dy, u);
  check_state("states", states, {s.batch, s.channels, s.chunks() + 1, s.state}, u);
  if (dlast) check_state("dlast", *dlast, {s.batch, s.channels, s.state}, u);
}

}  // namespace selective_scan
