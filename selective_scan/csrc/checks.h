// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// What every kernel, on any device, asks of its arguments. The fakes and the reference hold the
// same rules, with the same messages, in selective_scan/checks.py.
#pragma once

#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <cctype>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "sizes.h"

namespace selective_scan {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;
using OptionalTensor = std::optional<Tensor>;

template <typename... Parts>
void check(bool ok, const Parts&... parts) {
  if (ok) return;
  std::ostringstream message;
  (message << ... << parts);
  throw std::runtime_error(message.str());
}

// The name that Python gives a type, as `float32`.
inline std::string name(ScalarType type) {
  switch (type) {
    case ScalarType::Float: return "float32";
    case ScalarType::Double: return "float64";
    case ScalarType::Half: return "float16";
    case ScalarType::BFloat16: return "bfloat16";
    case ScalarType::Byte: return "uint8";
    case ScalarType::Char: return "int8";
    case ScalarType::Short: return "int16";
    case ScalarType::Int: return "int32";
    case ScalarType::Long: return "int64";
    case ScalarType::Bool: return "bool";
    case ScalarType::ComplexHalf: return "complex32";
    case ScalarType::ComplexFloat: return "complex64";
    case ScalarType::ComplexDouble: return "complex128";
    default: break;
  }
  std::string text = torch::headeronly::toString(type);  // as Float8_e4m3fn
  for (char& letter : text) letter = static_cast<char>(std::tolower(letter));
  return text;
}

template <typename Sizes>
std::string list(const Sizes& sizes) {
  std::ostringstream text;
  const char* separator = "";
  text << "[";
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

inline void check_shape(const char* arg, const Tensor& tensor,
                        std::initializer_list<int64_t> shape) {
  const auto sizes = tensor.sizes();
  bool same = sizes.size() == shape.size();
  size_t i = 0;
  for (int64_t size : shape) same = same && sizes[i++] == size;
  check(same, arg, " must have shape ", list(shape), ", got ", list(sizes));
}

// The main input of an op: what the types and devices of the others are held to.
struct Main {
  const char* name;
  ScalarType type;
  std::string device;
  Main(const char* name, const Tensor& tensor)
      : name(name), type(tensor.scalar_type()), device(device_name(tensor)) {}
};

inline void check_device(const char* arg, const Tensor& tensor, const Main& main) {
  check(device_name(tensor) == main.device, arg, " must be on the device of ", main.name, ", ",
        main.device, ", got ", device_name(tensor));
}

inline bool is_low(ScalarType type) {
  return type == ScalarType::Float || type == ScalarType::Half || type == ScalarType::BFloat16;
}

inline ScalarType state_type(ScalarType input) {
  return input == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
}

inline void check_main_type(const Main& main) {
  const ScalarType type = main.type;
  check(type == ScalarType::Double || is_low(type), main.name,
        " must be float64, float32, float16 or bfloat16, got ", name(type));
}

// A tensor of any type that may stand beside the main input.
inline void check_input(const char* arg, const Tensor& tensor, std::initializer_list<int64_t> shape,
                        const Main& main) {
  check_shape(arg, tensor, shape);
  check_device(arg, tensor, main);
  const ScalarType type = main.type, got = tensor.scalar_type();
  const bool high = type == ScalarType::Double;
  check(high ? got == ScalarType::Double : is_low(got), arg, " must be ",
        high ? "float64" : "float32 or float16 or bfloat16", " for ", name(type), " ", main.name,
        ", got ", name(got));
}

// A tensor in the state's type.
inline void check_state(const char* arg, const Tensor& tensor, std::initializer_list<int64_t> shape,
                        const Main& main) {
  check_shape(arg, tensor, shape);
  check_device(arg, tensor, main);
  const ScalarType input = main.type, got = tensor.scalar_type();
  check(got == state_type(input), arg, " must be ", name(state_type(input)), " for ", name(input),
        " ", main.name, ", got ", name(got));
}

inline void check_out_type(ScalarType out_type, const Main& main) {
  const ScalarType type = main.type;
  const ScalarType state = state_type(type);
  check(out_type == type || out_type == state, "out_dtype must be ", name(type),
        type == state ? "" : " or float32", " for ", name(type), " ", main.name, ", got ",
        name(out_type));
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

  const Main main{"u", u};
  check_main_type(main);
  check_input("delta", delta, {s.batch, s.channels, s.length}, main);
  check_state("A", A, {s.channels, s.state}, main);
  check_input("B", B, {s.batch, s.groups, s.state, s.length}, main);
  check_input("C", C, {s.batch, s.groups, s.state, s.length}, main);
  if (D) check_state("D", *D, {s.channels}, main);
  if (delta_bias) check_state("delta_bias", *delta_bias, {s.channels}, main);
  check_out_type(out_type, main);
  return s;
}

// What backward is given beyond the arguments of forward; the type of dy is checked as out_dtype.
inline void check_gradients(const Sizes& s, const Tensor& dy, const OptionalTensor& dlast,
                            const Tensor& states, const Tensor& u) {
  const Main main{"u", u};
  check_shape("dy", dy, {s.batch, s.channels, s.length});
  check_device("dy", dy, main);
  check_state("states", states, {s.batch, s.channels, s.chunks() + 1, s.state}, main);
  if (dlast) check_state("dlast", *dlast, {s.batch, s.channels, s.state}, main);
}

struct MapSizes {
  int64_t batch, height, width, channels, rank, state;
  int64_t length() const { return height * width; }
  int64_t chunks() const { return ceil_div(length(), kMapChunk); }
  int64_t projected() const { return rank + 2 * state; }  // values of one route at one position
};

inline MapSizes check_map_inputs(const Tensor& x, const Tensor& projections,
                                 const Tensor& dt_weight, const Tensor& A, const OptionalTensor& D,
                                 const OptionalTensor& delta_bias, ScalarType out_type) {
  check(x.dim() == 4, "x must be (batch, height, width, channels), got ", x.dim(), " dimensions");
  check(dt_weight.dim() == 3, "dt_weight must be (routes, channels, rank), got ", dt_weight.dim(),
        " dimensions");
  check(A.dim() == 2, "A must be (routes * channels, state), got ", A.dim(), " dimensions");
  const MapSizes s{x.size(0), x.size(1), x.size(2), x.size(3), dt_weight.size(2), A.size(1)};
  check(s.batch > 0, "x must not be empty, got batch 0");
  check(s.height > 0, "x must not be empty, got height 0");
  check(s.width > 0, "x must not be empty, got width 0");
  check(s.channels > 0, "x must not be empty, got channels 0");
  check(s.rank > 0, "dt_weight must not be empty, got rank 0");
  check(s.state > 0, "A must not be empty, got state 0");

  const Main main{"x", x};
  const int64_t rows = kRoutes * s.channels;
  check_main_type(main);
  check_input("projections", projections, {s.batch, s.height, s.width, kRoutes, s.projected()},
              main);
  check_state("dt_weight", dt_weight, {kRoutes, s.channels, s.rank}, main);
  check_state("A", A, {rows, s.state}, main);
  if (D) check_state("D", *D, {rows}, main);
  if (delta_bias) check_state("delta_bias", *delta_bias, {rows}, main);
  check_out_type(out_type, main);
  return s;
}

// What backward is given beyond the arguments of forward; the type of dy is checked as out_dtype.
inline void check_map_gradients(const MapSizes& s, const Tensor& dy, const Tensor& states,
                                const Tensor& x) {
  const Main main{"x", x};
  check_shape("dy", dy, {s.batch, s.height, s.width, s.channels});
  check_device("dy", dy, main);
  check_state("states", states, {s.batch, kRoutes, s.chunks() + 1, s.state, s.channels}, main);
}

}  // namespace selective_scan
