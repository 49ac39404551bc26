// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// ss2d_scan on CUDA tensors: checks, results, launches, and the products that spread the gradient
// of the step sizes over the low-rank ones and their weights.
#include <tuple>

#include "torch_cuda.h"

namespace selective_scan::cuda {
namespace {

// The arguments of ss2d_forward, contiguous.
struct Arguments {
  Tensor x, projections, dt_weight, A;
  Tensor turned_weight;  // (routes, rank, channels)
  OptionalTensor D, delta_bias;
  bool softplus;

  template <typename T>
  MapScan<T> scan(const MapSizes& s) const {
    const MapScan<T> scan{s.batch,
                          s.height,
                          s.width,
                          s.channels,
                          s.rank,
                          s.state,
                          s.chunks(),
                          input(x),
                          input(projections),
                          data<T>(turned_weight),
                          data<T>(A),
                          data<T>(D),
                          data<T>(delta_bias),
                          softplus};
    const int64_t bytes = map_shared_bytes(scan);
    check(bytes <= kSharedBytes, "dt_weight and A must have a rank and a state whose step fits ",
          kSharedBytes, " bytes of shared memory, got rank ", s.rank, " and state ", s.state,
          ", which take ", bytes);
    return scan;
  }
};

Arguments arguments(const Tensor& x, const Tensor& projections, const Tensor& dt_weight,
                    const Tensor& A, const OptionalTensor& D, const OptionalTensor& delta_bias,
                    bool softplus) {
  return {packed(x),
          packed(projections),
          packed(dt_weight),
          packed(A),
          packed(torch::stable::transpose(dt_weight, 1, 2)),
          packed(D),
          packed(delta_bias),
          softplus};
}

// `tensor` itself where it is in the state's type, else a tensor like it that is.
Tensor in_state_type(const Tensor& tensor, ScalarType type) {
  return tensor.scalar_type() == type ? tensor
                                      : torch::stable::new_empty(tensor, tensor.sizes(), type);
}

template <typename T>
void run_forward(const Arguments& args, const MapSizes& s, const Tensor& y, const Tensor& states) {
  const ScalarType type = states.scalar_type();
  const Tensor sums = new_empty(y, {s.batch, kRoutes, s.chunks(), s.channels}, type);
  const Tensor sum_of_routes = in_state_type(y, type);
  const MapResults<T> results{output(y), mutable_data<T>(sum_of_routes), mutable_data<T>(states),
                              mutable_data<T>(sums)};
  STD_CUDA_CHECK(map_forward(args.scan<T>(s), results, current_stream(y.get_device_index())));
}

using Gradients = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

template <typename T>
Gradients run_backward(const Arguments& args, const MapSizes& s, const Tensor& dy,
                       const Tensor& states) {
  const Tensor& x = args.x;
  const ScalarType type = states.scalar_type();
  const int64_t positions = s.batch * s.length(), parts = s.batch * s.chunks();
  const int64_t rows = kRoutes * s.channels;
  const Tensor dx = torch::stable::empty_like(x);
  const Tensor dx_total = in_state_type(dx, type);
  const Tensor dprojections = torch::stable::empty_like(args.projections);
  const Tensor ddt_weight = torch::stable::empty_like(args.dt_weight);
  const Tensor carries = new_empty(x, {s.batch, kRoutes, s.chunks(), s.state, s.channels}, type);
  const Tensor sums = new_empty(x, {s.batch, kRoutes, s.chunks(), s.channels}, type);
  const Tensor ddelta = new_empty(x, {positions, s.channels}, type);
  const Tensor dBC =
      new_empty(x, {ceil_div(s.channels, kMapThreads), positions, 2 * s.state}, type);
  const Tensor dA = new_empty(x, {parts, kRoutes, s.state, s.channels}, type);
  const Tensor dD = new_empty(x, {args.D ? parts : 0, rows}, type);
  const Tensor dbias = new_empty(x, {args.delta_bias ? parts : 0, rows}, type);
  const MapScan<T> scan = args.scan<T>(s);
  const MapGradients<T> io{input(dy),
                           data<T>(states),
                           mutable_data<T>(carries),
                           mutable_data<T>(sums),
                           output(dx),
                           mutable_data<T>(dx_total),
                           mutable_data<T>(ddelta),
                           mutable_data<T>(dBC),
                           mutable_data<T>(dA),
                           args.D ? mutable_data<T>(dD) : nullptr,
                           args.delta_bias ? mutable_data<T>(dbias) : nullptr};
  const cudaStream_t stream = current_stream(x.get_device_index());
  STD_CUDA_CHECK(map_carries(scan, io, stream));

  // ddt = ddelta W and dW = ddelta^T dt, one route at a time, so that ddelta is never four maps.
  const Tensor ddt = new_empty(x, {positions, s.rank}, type);
  const Tensor ddelta_turned = torch::stable::transpose(ddelta, 0, 1);
  const Tensor flat = torch::stable::view(args.projections, {positions, kRoutes, s.projected()});
  const Tensor dflat = torch::stable::view(dprojections, {positions, kRoutes, s.projected()});
  for (int route = 0; route < kRoutes; ++route) {
    STD_CUDA_CHECK(map_gradients(scan, io, route, stream));
    Tensor projected = torch::stable::select(flat, 1, route);
    Tensor dprojected = torch::stable::select(dflat, 1, route);
    const Tensor dt = torch::stable::narrow(projected, 1, 0, s.rank);
    matmul_into(ddt, ddelta, torch::stable::select(args.dt_weight, 0, route));
    matmul_into(torch::stable::select(ddt_weight, 0, route), ddelta_turned,
                torch::stable::to(dt, type));
    Tensor to_dt = torch::stable::narrow(dprojected, 1, 0, s.rank);
    Tensor to_BC = torch::stable::narrow(dprojected, 1, s.rank, 2 * s.state);
    torch::stable::copy_(to_dt, ddt);
    torch::stable::copy_(to_BC, sum_first(dBC));
  }
  const Tensor dA_sum = torch::stable::transpose(sum_first(dA), 1, 2);  // (routes, channels, state)
  return {dx,
          dprojections,
          ddt_weight,
          torch::stable::view(torch::stable::contiguous(dA_sum), args.A.sizes()),
          args.D ? total(dD, *args.D) : new_empty(x, {0}, type),
          args.delta_bias ? total(dbias, *args.delta_bias) : new_empty(x, {0}, type)};
}

std::tuple<Tensor, Tensor> forward(const Tensor& x, const Tensor& projections,
                                   const Tensor& dt_weight, const Tensor& A,
                                   const OptionalTensor& D, const OptionalTensor& delta_bias,
                                   bool delta_softplus, ScalarType out_dtype) {
  const MapSizes s = check_map_inputs(x, projections, dt_weight, A, D, delta_bias, out_dtype);
  const torch::stable::accelerator::DeviceGuard guard(x.get_device_index());
  const Arguments args = arguments(x, projections, dt_weight, A, D, delta_bias, delta_softplus);
  const ScalarType type = state_type(x.scalar_type());
  const Tensor y = new_empty(x, {s.batch, s.height, s.width, s.channels}, out_dtype);
  const Tensor states = new_empty(x, {s.batch, kRoutes, s.chunks() + 1, s.state, s.channels}, type);
  const auto run = type == ScalarType::Double ? run_forward<double> : run_forward<float>;
  run(args, s, y, states);
  return {y, states};
}

Gradients backward(const Tensor& dy, const Tensor& x, const Tensor& projections,
                   const Tensor& dt_weight, const Tensor& A, const OptionalTensor& D,
                   const OptionalTensor& delta_bias, const Tensor& states, bool delta_softplus) {
  const MapSizes s =
      check_map_inputs(x, projections, dt_weight, A, D, delta_bias, dy.scalar_type());
  check_map_gradients(s, dy, states, x);
  const torch::stable::accelerator::DeviceGuard guard(x.get_device_index());
  const Arguments args = arguments(x, projections, dt_weight, A, D, delta_bias, delta_softplus);
  const auto run =
      x.scalar_type() == ScalarType::Double ? run_backward<double> : run_backward<float>;
  return run(args, s, packed(dy), packed(states));
}

}  // namespace
}  // namespace selective_scan::cuda

STABLE_TORCH_LIBRARY_IMPL(selective_scan, CUDA, m) {
  m.impl("ss2d_forward", TORCH_BOX(&selective_scan::cuda::forward));
  m.impl("ss2d_backward", TORCH_BOX(&selective_scan::cuda::backward));
}
