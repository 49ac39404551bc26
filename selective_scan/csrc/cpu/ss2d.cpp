// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The scan of maps along four routes on CPU tensors: checks, results, weights packed by channel
// block, and the blocks shared out among torch's threads.
#include <torch/csrc/stable/library.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include "../tensors.h"
#include "huge_pages.h"
#include "map_kernels.h"
#include "ordered_sums.h"

namespace selective_scan::cpu {
namespace {

// Groups of channel blocks in backward, over the whole batch. A constant, not the number of
// threads: sums over blocks then have the same parts, and results do not depend on the threads.
constexpr int64_t kGroups = 16;

// The weights of a block after each other: (routes * channels, values) <-> (blocks, routes, values,
// kLanes), with zeros for the channels that the last block lacks.
struct Packing {
  int64_t channels, values;

  int64_t blocks() const { return ceil_div(channels, kLanes); }
  int64_t size() const { return blocks() * kRoutes * values * kLanes; }

  // Calls visit(plain index, packed index) for each weight of one block.
  template <typename Visit>
  void each(int64_t block, const Visit& visit) const {
    const int64_t lanes = std::min(kLanes, channels - block * kLanes);
    for (int64_t route = 0; route < kRoutes; ++route) {
      for (int64_t e = 0; e < lanes; ++e) {
        const int64_t row = route * channels + block * kLanes + e;
        for (int64_t i = 0; i < values; ++i) {
          visit(row * values + i, ((block * kRoutes + route) * values + i) * kLanes + e);
        }
      }
    }
  }

  template <typename T>
  std::vector<T> pack(const T* plain) const {
    std::vector<T> packed(size(), T(0));
    if (!plain) return packed;
    torch::stable::parallel_for(0, blocks(), 8, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        each(block, [&](int64_t from, int64_t to) { packed[to] = plain[from]; });
      }
    });
    return packed;
  }

  // The sum of `parts`, packed each, unpacked.
  template <typename T>
  void unpack(const std::vector<T>& parts, T* plain) const {
    const int64_t count = static_cast<int64_t>(parts.size()) / size();
    torch::stable::parallel_for(0, blocks(), 8, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        each(block, [&](int64_t to, int64_t from) {
          T sum = T(0);
          for (int64_t part = 0; part < count; ++part) sum += parts[part * size() + from];
          plain[to] = sum;
        });
      }
    });
  }
};

// The arguments of forward, contiguous, and their weights packed.
template <typename T>
struct MapArguments {
  MapSizes s;
  Tensor x, projections;
  Packing weights, rates, rows;
  std::vector<T> weight, A, bias, skip;
  bool softplus;

  MapArguments(const MapSizes& s, const Tensor& x, const Tensor& projections,
               const Tensor& dt_weight, const Tensor& A, const OptionalTensor& D,
               const OptionalTensor& delta_bias, bool softplus)
      : s(s),
        x(packed(x)),
        projections(packed(projections)),
        weights{s.channels, s.rank},
        rates{s.channels, s.state},
        rows{s.channels, 1},
        weight(weights.pack(data<T>(packed(dt_weight)))),
        A(rates.pack(data<T>(packed(A)))),
        bias(rows.pack(data<T>(packed(delta_bias)))),
        skip(D ? blocks() * kLanes : 0, T(0)),
        softplus(softplus) {
    if (!D) return;
    const Tensor plain = packed(*D);
    for (int64_t i = 0; i < kRoutes * s.channels; ++i) skip[i % s.channels] += data<T>(plain)[i];
  }

  int64_t blocks() const { return ceil_div(s.channels, kLanes); }

  MapScan<T> scan() const {
    return {s.height,
            s.width,
            s.channels,
            blocks(),
            s.rank,
            s.state,
            s.chunks(),
            input(x),
            input(projections),
            weight.data(),
            A.data(),
            bias.data(),
            skip.empty() ? nullptr : skip.data(),
            softplus};
  }
};

// The weights with the channels of a block first: (blocks, routes, kLanes, padded rank).
template <typename T>
std::vector<T> transposed_weight(const MapArguments<T>& args) {
  const int64_t rank = args.s.rank, padded = padded_rank<T>(rank);
  const int64_t matrices = args.blocks() * kRoutes;
  std::vector<T> transposed(matrices * kLanes * padded, T(0));
  for (int64_t m = 0; m < matrices; ++m) {
    for (int64_t e = 0; e < kLanes; ++e) {
      for (int64_t r = 0; r < rank; ++r) {
        transposed[(m * kLanes + e) * padded + r] = args.weight[(m * rank + r) * kLanes + e];
      }
    }
  }
  return transposed;
}

template <typename T>
void run_forward(const MapArguments<T>& args, const Tensor& y, const Tensor& states) {
  const MapScan<T> scan = args.scan();
  const MapForward<T> out{output(y), mutable_data<T>(states)};
  const int64_t blocks = args.blocks();
  torch::stable::parallel_for(0, args.s.batch * blocks, 1, [&](int64_t begin, int64_t end) {
    const std::unique_ptr<T[]> scratch(new T[forward_scratch(scan, out)]);
    for (int64_t i = begin; i < end; ++i) {
      forward_block(scan, out, i / blocks, i % blocks, scratch.get());
    }
  });
}

using MapGradients = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

template <typename T>
MapGradients run_backward(const MapArguments<T>& args, const Tensor& dy, const Tensor& dt_weight,
                          const Tensor& A, const OptionalTensor& D,
                          const OptionalTensor& delta_bias, const Tensor& states) {
  const MapScan<T> scan = args.scan();
  const MapSizes& s = args.s;
  const int64_t blocks = args.blocks();
  const int64_t blocks_each = ceil_div(blocks, std::min(blocks, ceil_div(kGroups, s.batch)));
  const int64_t groups = ceil_div(blocks, blocks_each);
  const int64_t projected = s.length() * kRoutes * s.projected();  // of one map

  const ScalarType type = state_type(args.x.scalar_type());
  const Tensor dx = with_huge_pages(torch::stable::empty_like(args.x));
  const Tensor dprojections = torch::stable::new_zeros(args.x, {s.batch * projected}, type);
  const auto parts = [&](const Packing& packing) {
    return std::vector<T>(s.batch * packing.size());
  };
  std::vector<T> dweight = parts(args.weights), dA = parts(args.rates), dbias = parts(args.rows);
  std::vector<T> dskip(D ? s.batch * blocks * kLanes : 0), transposed(transposed_weight(args));
  const MapBackward<T> io{
      input(dy),      data<T>(states), output(dx),   transposed.data(),
      dweight.data(), dA.data(),       dbias.data(), D ? dskip.data() : nullptr};

  const auto make_worker = [&] {
    const int64_t size = backward_scratch(scan, io);
    return [&, scratch = std::unique_ptr<T[]>(new T[size])](int64_t batch, int64_t group,
                                                            const std::array<T*, 1>& to) {
      const int64_t stop = std::min(blocks, (group + 1) * blocks_each);
      for (int64_t block = group * blocks_each; block < stop; ++block) {
        backward_block(scan, io, batch, block, to[0], scratch.get());
      }
    };
  };
  add_in_order<T, 1>({mutable_data<T>(dprojections)}, projected, s.batch, groups, 1, make_worker);

  const Tensor dweight_out = torch::stable::empty_like(packed(dt_weight));
  const Tensor dA_out = torch::stable::empty_like(packed(A));
  const Tensor dD_out = new_empty(args.x, {D ? kRoutes * s.channels : 0}, type);
  const Tensor dbias_out = new_empty(args.x, {delta_bias ? kRoutes * s.channels : 0}, type);
  args.weights.unpack(dweight, mutable_data<T>(dweight_out));
  args.rates.unpack(dA, mutable_data<T>(dA_out));
  if (delta_bias) args.rows.unpack(dbias, mutable_data<T>(dbias_out));
  if (D) {  // the same for every route
    for (int64_t i = 0; i < kRoutes * s.channels; ++i) {
      T sum = T(0);
      for (int64_t batch = 0; batch < s.batch; ++batch) {
        sum += dskip[batch * blocks * kLanes + i % s.channels];
      }
      mutable_data<T>(dD_out)[i] = sum;
    }
  }
  return {dx, shaped(dprojections, args.projections), dweight_out, dA_out, dD_out, dbias_out};
}

std::tuple<Tensor, Tensor> ss2d_forward(const Tensor& x, const Tensor& projections,
                                        const Tensor& dt_weight, const Tensor& A,
                                        const OptionalTensor& D, const OptionalTensor& delta_bias,
                                        bool delta_softplus, ScalarType out_dtype) {
  const MapSizes s = check_map_inputs(x, projections, dt_weight, A, D, delta_bias, out_dtype);
  const ScalarType type = state_type(x.scalar_type());
  const Tensor y =
      with_huge_pages(new_empty(x, {s.batch, s.height, s.width, s.channels}, out_dtype));
  const Tensor states = new_empty(x, {s.batch, kRoutes, s.chunks() + 1, s.state, s.channels}, type);
  const auto run = [&](auto zero) {
    run_forward(MapArguments<decltype(zero)>(s, x, projections, dt_weight, A, D, delta_bias,
                                             delta_softplus),
                y, states);
  };
  type == ScalarType::Double ? run(double()) : run(float());
  return {y, states};
}

MapGradients ss2d_backward(const Tensor& dy, const Tensor& x, const Tensor& projections,
                           const Tensor& dt_weight, const Tensor& A, const OptionalTensor& D,
                           const OptionalTensor& delta_bias, const Tensor& states,
                           bool delta_softplus) {
  const MapSizes s =
      check_map_inputs(x, projections, dt_weight, A, D, delta_bias, dy.scalar_type());
  check_map_gradients(s, dy, states, x);
  const auto run = [&](auto zero) {
    return run_backward(MapArguments<decltype(zero)>(s, x, projections, dt_weight, A, D, delta_bias,
                                                     delta_softplus),
                        packed(dy), dt_weight, A, D, delta_bias, packed(states));
  };
  return x.scalar_type() == ScalarType::Double ? run(double()) : run(float());
}

}  // namespace
}  // namespace selective_scan::cpu

STABLE_TORCH_LIBRARY_IMPL(selective_scan, CPU, m) {
  m.impl("ss2d_forward", TORCH_BOX(&selective_scan::cpu::ss2d_forward));
  m.impl("ss2d_backward", TORCH_BOX(&selective_scan::cpu::ss2d_backward));
}
