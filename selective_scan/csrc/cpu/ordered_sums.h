// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// Sums of parts that threads make side by side.
#pragma once

#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace selective_scan::cpu {

// Adds the `parts` parts of each of `sums` sums to `totals`: `arrays` arrays of (sums, size) zeros.
// Each sum takes its parts in their order, so that results do not depend on the threads, and a
// thread holds one part at a time, however many there are. make_worker(), called in each thread,
// returns a function that adds a part to `arrays` arrays of `size`: worker(sum, part, to).
template <typename T, std::size_t arrays, typename MakeWorker>
void add_in_order(const std::array<T*, arrays>& totals, int64_t size, int64_t sums, int64_t parts,
                  int64_t grain, const MakeWorker& make_worker) {
  // Arrays begin with a line of the cache, as torch's do: vectors across two lines take longer.
  constexpr int64_t kLine = 64 / sizeof(T);
  const int64_t stride = (size + kLine - 1) / kLine * kLine;
  std::mutex mutex;
  std::condition_variable added;
  int64_t next = 0;                        // the next part to be made
  std::vector<int64_t> complete(sums, 0);  // parts that a sum has
  torch::stable::parallel_for(0, sums * parts, grain, [&](int64_t begin, int64_t end) {
    auto worker = make_worker();
    // Nothing is allocated once a part has begun: others would wait for one that failed.
    const std::unique_ptr<T[]> memory(new T[parts > 1 ? arrays * stride + kLine : 0]);
    const auto address = reinterpret_cast<uintptr_t>(memory.get());
    T* held = memory.get() + (64 - address % 64) % 64 / sizeof(T);
    // Parts begin in their order, not at `begin`: what a thread waits for is then under way.
    for (int64_t i = begin; i < end; ++i) {
      std::unique_lock<std::mutex> lock(mutex);
      const int64_t sum = next / parts, part = next % parts;
      ++next;
      lock.unlock();
      std::array<T*, arrays> to;
      if (part > 0) std::fill_n(held, arrays * stride, T(0));
      for (std::size_t a = 0; a < arrays; ++a) {
        to[a] = part > 0 ? held + a * stride : totals[a] + sum * size;
      }
      worker(sum, part, to);
      lock.lock();
      added.wait(lock, [&] { return complete[sum] == part; });
      lock.unlock();
      for (std::size_t a = 0; a < (part > 0 ? arrays : 0); ++a) {
        T* total = totals[a] + sum * size;
        for (int64_t j = 0; j < size; ++j) total[j] += to[a][j];
      }
      lock.lock();
      complete[sum] = part + 1;
      lock.unlock();
      added.notify_all();
    }
  });
}

}  // namespace selective_scan::cpu
