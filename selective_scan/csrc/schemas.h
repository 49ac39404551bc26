// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The schemas of the ops.
#pragma once

namespace selective_scan::schemas {

// -> y (batch, channels, length), last state (batch, channels, state), and the states
// before each chunk and after the last (batch, channels, chunks + 1, state), for backward.
constexpr const char* kForward =
    "forward(Tensor u, Tensor delta, Tensor A, Tensor B, Tensor C, Tensor? D, "
    "Tensor? delta_bias, bool delta_softplus, ScalarType out_dtype) "
    "-> (Tensor, Tensor, Tensor)";

// -> the gradients of u, delta, A, B, C, D, delta_bias; those of absent arguments are empty.
constexpr const char* kBackward =
    "backward(Tensor dy, Tensor? dlast, Tensor u, Tensor delta, Tensor A, Tensor B, Tensor C, "
    "Tensor? D, Tensor? delta_bias, Tensor states, bool delta_softplus) "
    "-> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)";

// The four routes over a map, added up. projections, (batch, height, width, routes,
// rank + 2 * state), holds [dt | B | C] of each position and route, and the step sizes are
// <dt_weight[route, channel], dt> + delta_bias. -> y (batch, height, width, channels), and the
// states before each chunk of each route and after the last, for backward:
// (batch, routes, chunks + 1, state, channels), chunks counted along the route's own order.
constexpr const char* kMapForward =
    "ss2d_forward(Tensor x, Tensor projections, Tensor dt_weight, Tensor A, Tensor? D, "
    "Tensor? delta_bias, bool delta_softplus, ScalarType out_dtype) -> (Tensor, Tensor)";

// -> the gradients of x, projections, dt_weight, A, D, delta_bias; those of absent arguments are
// empty.
constexpr const char* kMapBackward =
    "ss2d_backward(Tensor dy, Tensor x, Tensor projections, Tensor dt_weight, Tensor A, "
    "Tensor? D, Tensor? delta_bias, Tensor states, bool delta_softplus) "
    "-> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)";

}  // namespace selective_scan::schemas
