// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// The sizes that the layout of the kept states depends on, for every device; needs no torch.
#pragma once

#include <cstdint>

namespace selective_scan {

// Steps from one kept state to the next: forward keeps the state before each chunk, and backward
// recomputes the states inside a chunk from it. The state after the last chunk is kept too, so that
// there are never fewer than two and torch.export need not treat a single one as a special case.
constexpr int64_t kChunk = 128;

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The scan of a map along four routes: 0 row by row, 1 column by column, 2 and 3 their reverses.
constexpr int64_t kRoutes = 4;
// Steps of one route from one kept state to the next; kept like those of `kChunk`.
constexpr int64_t kMapChunk = 64;

}  // namespace selective_scan
