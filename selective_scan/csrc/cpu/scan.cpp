// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The ops on CPU tensors: checks, results, and the tiles shared out among torch's threads.
#include <torch/csrc/stable/library.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "../tensors.h"
#include "huge_pages.h"
#include "kernels.h"
#include "ordered_sums.h"

namespace selective_scan::cpu {
namespace {

// Row blocks of backward, over the whole batch. A constant, not the number of threads: sums over
// blocks then have the same parts, and results do not depend on the threads.
constexpr int64_t kTasks = 32;
constexpr int64_t kGrain = 32768;  // state updates that repay waking a thread

// The arguments of forward, contiguous.
struct Arguments {
  Tensor u, delta, A, B, C;
  OptionalTensor D, delta_bias;
  bool softplus;

  template <typename T>
  Scan<T> scan(const Sizes& s) const {
    return {
        s.channels,   s.length, s.state,  s.groups,   s.rows(),   s.chunks(),          input(u),
        input(delta), input(B), input(C), data<T>(A), data<T>(D), data<T>(delta_bias), softplus};
  }
};

template <typename T>
void run_forward(const Arguments& args, const Sizes& s, const Tensor& y, const Tensor& last,
                 const Tensor& states) {
  const Scan<T> scan = args.scan<T>(s);
  const ForwardOut<T> out{output(y), mutable_data<T>(last), mutable_data<T>(states)};
  const int64_t tiles = ceil_div(s.rows(), kRows);  // of one group
  const int64_t grain = std::max<int64_t>(1, kGrain / (kRows * s.length * s.state));
  torch::stable::parallel_for(
      0, s.batch * s.groups * tiles, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t batch = i / (s.groups * tiles), group = i / tiles % s.groups;
          const int64_t row = i % tiles * kRows;
          forward_tile(scan, out,
                       Tile{batch, group, group * s.rows() + row, std::min(kRows, s.rows() - row)});
        }
      });
}

using Gradients = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

template <typename T>
Gradients run_backward(const Arguments& args, const Sizes& s, const Tensor& dy,
                       const OptionalTensor& dlast, const Tensor& states) {
  const Scan<T> scan = args.scan<T>(s);
  const int64_t tiles = ceil_div(s.rows(), kRows);
  const int64_t groups = s.batch * s.groups;
  const int64_t tiles_each = ceil_div(tiles, std::min(tiles, ceil_div(kTasks, groups)));
  const int64_t blocks = ceil_div(tiles, tiles_each);
  const int64_t weights = s.state * s.length;  // of B or C for one group

  const ScalarType type = state_type(args.u.scalar_type());
  const Tensor du = with_huge_pages(torch::stable::empty_like(args.u));
  const Tensor ddelta = with_huge_pages(torch::stable::empty_like(args.delta));
  const Tensor dB = torch::stable::new_zeros(args.u, {groups * weights}, type);
  const Tensor dC = torch::stable::new_zeros(args.u, {groups * weights}, type);
  // One sum for each batch entry: threads never add to the same place.
  const Tensor dA = new_empty(args.u, {s.batch, s.channels * s.state}, type);
  const Tensor dD = new_empty(args.u, {args.D ? s.batch : 0, s.channels}, type);
  const Tensor dbias = new_empty(args.u, {args.delta_bias ? s.batch : 0, s.channels}, type);
  const BackwardIo<T> io{input(dy),
                         data<T>(dlast),
                         data<T>(states),
                         output(du),
                         output(ddelta),
                         mutable_data<T>(dA),
                         args.D ? mutable_data<T>(dD) : nullptr,
                         args.delta_bias ? mutable_data<T>(dbias) : nullptr};

  const int64_t grain = std::max<int64_t>(1, kGrain / (tiles_each * kRows * s.length * s.state));
  const auto make_worker = [&] {
    return [&, carry = std::vector<T>(kRows * s.state)](int64_t sum, int64_t block,
                                                        const std::array<T*, 2>& to) mutable {
      const int64_t batch = sum / s.groups, group = sum % s.groups;
      const int64_t stop = std::min(s.rows(), (block + 1) * tiles_each * kRows);
      for (int64_t row = block * tiles_each * kRows; row < stop; row += kRows) {
        const Tile tile{batch, group, group * s.rows() + row, std::min(kRows, stop - row)};
        backward_tile(scan, io, tile, to[0], to[1], carry.data());
      }
    };
  };
  add_in_order<T, 2>({mutable_data<T>(dB), mutable_data<T>(dC)}, weights, groups, blocks, grain,
                     make_worker);
  return {du,
          ddelta,
          total(dA, args.A),
          shaped(dB, args.B),
          shaped(dC, args.C),
          args.D ? total(dD, *args.D) : new_empty(args.u, {0}, type),
          args.delta_bias ? total(dbias, *args.delta_bias) : new_empty(args.u, {0}, type)};
}

std::tuple<Tensor, Tensor, Tensor> forward(const Tensor& u, const Tensor& delta, const Tensor& A,
                                           const Tensor& B, const Tensor& C,
                                           const OptionalTensor& D,
                                           const OptionalTensor& delta_bias, bool delta_softplus,
                                           ScalarType out_dtype) {
  const Sizes s = check_inputs(u, delta, A, B, C, D, delta_bias, out_dtype);
  const Arguments args{packed(u), packed(delta), packed(A),          packed(B),
                       packed(C), packed(D),     packed(delta_bias), delta_softplus};
  const ScalarType type = state_type(u.scalar_type());
  const Tensor y = with_huge_pages(new_empty(u, {s.batch, s.channels, s.length}, out_dtype));
  const Tensor last = new_empty(u, {s.batch, s.channels, s.state}, type);
  const Tensor states = new_empty(u, {s.batch, s.channels, s.chunks() + 1, s.state}, type);
  if (type == ScalarType::Double) {
    run_forward<double>(args, s, y, last, states);
  } else {
    run_forward<float>(args, s, y, last, states);
  }
  return {y, last, states};
}

Gradients backward(const Tensor& dy, const OptionalTensor& dlast, const Tensor& u,
                   const Tensor& delta, const Tensor& A, const Tensor& B, const Tensor& C,
                   const OptionalTensor& D, const OptionalTensor& delta_bias, const Tensor& states,
                   bool delta_softplus) {
  const Sizes s = check_inputs(u, delta, A, B, C, D, delta_bias, dy.scalar_type());
  check_gradients(s, dy, dlast, states, u);
  const Arguments args{packed(u), packed(delta), packed(A),          packed(B),
                       packed(C), packed(D),     packed(delta_bias), delta_softplus};
  const auto run =
      u.scalar_type() == ScalarType::Double ? run_backward<double> : run_backward<float>;
  return run(args, s, packed(dy), packed(dlast), packed(states));
}

}  // namespace
}  // namespace selective_scan::cpu

STABLE_TORCH_LIBRARY_IMPL(selective_scan, CPU, m) {
  m.impl("forward", TORCH_BOX(&selective_scan::cpu::forward));
  m.impl("backward", TORCH_BOX(&selective_scan::cpu::backward));
}
