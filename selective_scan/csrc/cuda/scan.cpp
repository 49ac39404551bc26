// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// selective_scan on CUDA tensors: checks, results, launches.
#include <algorithm>
#include <tuple>

#include "torch_cuda.h"

namespace selective_scan::cuda {
namespace {

// The arguments of forward, contiguous.
struct Arguments {
  Tensor u, delta, A, B, C;
  OptionalTensor D, delta_bias;
  bool softplus;

  // `others`: further tensors along the sequence that kernels read or write.
  template <typename T>
  Scan<T> scan(const Sizes& s, std::initializer_list<Tensor> others) const {
    bool aligned = s.length % 4 == 0;
    const auto check_address = [&](const Tensor& tensor) {
      aligned = aligned && reinterpret_cast<uintptr_t>(tensor.const_data_ptr()) % 16 == 0;
    };
    for (const Tensor& tensor : {u, delta, B, C}) check_address(tensor);
    for (const Tensor& tensor : others) check_address(tensor);
    return {s.batch,  s.channels,   s.length, s.state,  s.groups,   s.rows(),   s.chunks(),
            input(u), input(delta), input(B), input(C), data<T>(A), data<T>(D), data<T>(delta_bias),
            softplus, aligned};
  }
};

template <typename T>
void run_forward(const Arguments& args, const Sizes& s, const Tensor& y, const Tensor& last,
                 const Tensor& states) {
  const Tensor sums = new_empty(last, {s.batch, s.channels, s.chunks()}, last.scalar_type());
  const ScanResults<T> results{output(y), mutable_data<T>(last), mutable_data<T>(states),
                               mutable_data<T>(sums)};
  STD_CUDA_CHECK(scan_forward(args.scan<T>(s, {y}), results, current_stream(y.get_device_index())));
}

// The same for every device, as the order of sums depends on it.
int64_t rows_of_a_block(const Sizes& s) {
  const int64_t others = s.batch * s.groups * s.chunks();
  const int64_t wanted = std::max<int64_t>(1, kManyBlocks / others);  // of a group and a chunk
  return kBlockRows * ceil_div(s.rows(), kBlockRows * wanted);
}

using Gradients = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

template <typename T>
Gradients run_backward(const Arguments& args, const Sizes& s, const Tensor& dy,
                       const OptionalTensor& dlast, const Tensor& states) {
  const Tensor& u = args.u;
  const ScalarType type = state_type(u.scalar_type());
  const int64_t parts = s.batch * s.chunks();
  const int64_t block_rows = rows_of_a_block(s), blocks = ceil_div(s.rows(), block_rows);
  const int64_t weights = s.batch * s.groups * s.state * s.length;
  const Tensor du = torch::stable::empty_like(u);
  const Tensor ddelta = torch::stable::empty_like(args.delta);
  const Tensor carries = new_empty(u, {s.batch, s.channels, s.chunks(), s.state}, type);
  const Tensor sums = new_empty(u, {s.batch, s.channels, s.chunks()}, type);
  const Tensor dB = new_empty(u, {blocks, weights}, type);
  const Tensor dC = new_empty(u, {blocks, weights}, type);
  const Tensor dA = new_empty(u, {parts, s.channels * s.state}, type);
  const Tensor dD = new_empty(u, {args.D ? parts : 0, s.channels}, type);
  const Tensor dbias = new_empty(u, {args.delta_bias ? parts : 0, s.channels}, type);
  const ScanGradients<T> io{input(dy),
                            data<T>(dlast),
                            data<T>(states),
                            mutable_data<T>(carries),
                            mutable_data<T>(sums),
                            output(du),
                            output(ddelta),
                            block_rows,
                            mutable_data<T>(dB),
                            mutable_data<T>(dC),
                            mutable_data<T>(dA),
                            args.D ? mutable_data<T>(dD) : nullptr,
                            args.delta_bias ? mutable_data<T>(dbias) : nullptr};
  STD_CUDA_CHECK(
      scan_backward(args.scan<T>(s, {dy, du, ddelta}), io, current_stream(u.get_device_index())));
  return {du,
          ddelta,
          total(dA, args.A),
          total(dB, args.B),
          total(dC, args.C),
          args.D ? total(dD, *args.D) : new_empty(u, {0}, type),
          args.delta_bias ? total(dbias, *args.delta_bias) : new_empty(u, {0}, type)};
}

std::tuple<Tensor, Tensor, Tensor> forward(const Tensor& u, const Tensor& delta, const Tensor& A,
                                           const Tensor& B, const Tensor& C,
                                           const OptionalTensor& D,
                                           const OptionalTensor& delta_bias, bool delta_softplus,
                                           ScalarType out_dtype) {
  const Sizes s = check_inputs(u, delta, A, B, C, D, delta_bias, out_dtype);
  const torch::stable::accelerator::DeviceGuard guard(u.get_device_index());
  const Arguments args{packed(u), packed(delta), packed(A),          packed(B),
                       packed(C), packed(D),     packed(delta_bias), delta_softplus};
  const ScalarType type = state_type(u.scalar_type());
  const Tensor y = new_empty(u, {s.batch, s.channels, s.length}, out_dtype);
  const Tensor last = new_empty(u, {s.batch, s.channels, s.state}, type);
  const Tensor states = new_empty(u, {s.batch, s.channels, s.chunks() + 1, s.state}, type);
  const auto run = type == ScalarType::Double ? run_forward<double> : run_forward<float>;
  run(args, s, y, last, states);
  return {y, last, states};
}

Gradients backward(const Tensor& dy, const OptionalTensor& dlast, const Tensor& u,
                   const Tensor& delta, const Tensor& A, const Tensor& B, const Tensor& C,
                   const OptionalTensor& D, const OptionalTensor& delta_bias, const Tensor& states,
                   bool delta_softplus) {
  const Sizes s = check_inputs(u, delta, A, B, C, D, delta_bias, dy.scalar_type());
  check_gradients(s, dy, dlast, states, u);
  const torch::stable::accelerator::DeviceGuard guard(u.get_device_index());
  const Arguments args{packed(u), packed(delta), packed(A),          packed(B),
                       packed(C), packed(D),     packed(delta_bias), delta_softplus};
  const auto run =
      u.scalar_type() == ScalarType::Double ? run_backward<double> : run_backward<float>;
  return run(args, s, packed(dy), packed(dlast), packed(states));
}

}  // namespace
}  // namespace selective_scan::cuda

STABLE_TORCH_LIBRARY_IMPL(selective_scan, CUDA, m) {
  m.impl("forward", TORCH_BOX(&selective_scan::cuda::forward));
  m.impl("backward", TORCH_BOX(&selective_scan::cuda::backward));
}
