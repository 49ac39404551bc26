// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
// Enough of CUDA's language and runtime to run the kernels of csrc/cuda on a CPU, as they are
// written: each thread of a block is a fiber, which runs until it meets a barrier or an exchange
// between lanes. Blocks run one after the other. It shows what the kernels compute and where
// threads fail to meet; it says nothing of speed, nor of the memory model of a real card beyond
// this: warps run one after the other as far as barriers let them, first to last or last to first,
// and shared memory starts out as NaN.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__
#define __noinline__
#define __launch_bounds__(...)

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3() = default;
  explicit dim3(unsigned size) : x(size) {}
};

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidConfiguration = 9 };

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
};

namespace emulation {

constexpr int kWarpSize = 32, kMostThreads = 1024;
constexpr size_t kStack = 64 * 1024, kMostShared = 48 * 1024;

struct Barrier {
  int expected = 0, arrived = 0;
  unsigned generation = 0;
};

struct Fiber {
  ucontext_t start;  // of a fiber that has not run yet
  jmp_buf place;     // of one that has
  std::vector<char> stack = std::vector<char>(kStack);
  unsigned thread = 0;
  bool started = false, done = false;
  Barrier* waits_for = nullptr;
  unsigned generation = 0;  // of that barrier when it was met
  unsigned exchanges = 0;
};

inline dim3 thread_index, block_index;
inline std::vector<Fiber> fibers(kMostThreads);
inline Fiber* running = nullptr;
inline jmp_buf scheduler;
inline Barrier block_barrier, warp_barriers[kMostThreads / kWarpSize];
// What lanes exchange. Two sets in turn, as one lane may already be at its next exchange.
inline double lane_values[kMostThreads / kWarpSize][2][kWarpSize];
inline std::function<void()> kernel;
inline bool reversed = false;

inline void release(Barrier& barrier) {
  barrier.arrived = 0;
  ++barrier.generation;
}

// From the running fiber to the scheduler and back. Not by swapcontext, which makes a system call
// for the signal mask each time.
inline void suspend() {
  if (_setjmp(running->place) == 0) _longjmp(scheduler, 1);
}

inline void resume(Fiber& fiber) {
  running = &fiber;
  if (_setjmp(scheduler) != 0) return;
  if (fiber.started) _longjmp(fiber.place, 1);
  fiber.started = true;
  setcontext(&fiber.start);
}

inline void wait(Barrier& barrier) {
  if (++barrier.arrived == barrier.expected) {
    release(barrier);
    return;
  }
  running->waits_for = &barrier;
  running->generation = barrier.generation;
  suspend();
}

inline void enter() {
  kernel();
  running->done = true;
  suspend();
}

// A thread that has returned is waited for no more.
inline void leave(const Fiber& fiber) {
  for (Barrier* barrier : {&block_barrier, &warp_barriers[fiber.thread / kWarpSize]}) {
    if (--barrier->expected > 0 && barrier->arrived == barrier->expected) release(*barrier);
  }
}

// Each thread of a warp up to its next barrier; whether any thread could move.
inline bool run_warp(unsigned warp, unsigned& left) {
  bool moved = false;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    Fiber& fiber = fibers[warp * kWarpSize + (reversed ? kWarpSize - 1 - i : i)];
    if (fiber.done || (fiber.waits_for && fiber.waits_for->generation == fiber.generation)) {
      continue;
    }
    fiber.waits_for = nullptr;
    thread_index.x = fiber.thread;
    resume(fiber);
    moved = true;
    if (fiber.done) {
      leave(fiber);
      --left;
    }
  }
  return moved;
}

inline void run_block(unsigned threads) {
  block_barrier = {static_cast<int>(threads), 0, 0};
  for (unsigned i = 0; i < threads; ++i) {
    Fiber& fiber = fibers[i];
    fiber.thread = i;
    fiber.started = fiber.done = false;
    fiber.waits_for = nullptr;
    fiber.exchanges = 0;
    getcontext(&fiber.start);
    fiber.start.uc_stack.ss_sp = fiber.stack.data();
    fiber.start.uc_stack.ss_size = fiber.stack.size();
    makecontext(&fiber.start, enter, 0);
  }
  for (unsigned warp = 0; warp * kWarpSize < threads; ++warp) {
    warp_barriers[warp] = {kWarpSize, 0, 0};
  }
  // Each warp runs as far as barriers let it before the next one starts: what a missing barrier
  // would put in order is then as far out of order as can be.
  const unsigned warps = threads / kWarpSize;
  unsigned left = threads;
  while (left > 0) {
    bool moved = false;
    for (unsigned i = 0; i < warps; ++i) {
      while (run_warp(reversed ? warps - 1 - i : i, left)) moved = true;
    }
    if (!moved) {
      std::fprintf(stderr, "emulated kernel: threads wait for each other at different barriers\n");
      std::abort();
    }
  }
}

template <typename T>
T exchange(T value, int source) {
  static_assert(sizeof(T) <= sizeof(double));
  const unsigned warp = running->thread / kWarpSize, lane = running->thread % kWarpSize;
  double* values = lane_values[warp][running->exchanges++ % 2];
  std::memcpy(&values[lane], &value, sizeof(T));
  wait(warp_barriers[warp]);
  std::memcpy(&value, &values[source >= 0 && source < kWarpSize ? source : lane], sizeof(T));
  return value;
}

inline int lane() { return static_cast<int>(running->thread % kWarpSize); }

}  // namespace emulation

#define threadIdx (emulation::thread_index)
#define blockIdx (emulation::block_index)

// A fiber that is resumed finds its own index there again.
inline void __syncthreads() { emulation::wait(emulation::block_barrier); }

template <typename T>
T __shfl_sync(unsigned, T value, int source) {
  return emulation::exchange(value, source);
}

template <typename T>
T __shfl_up_sync(unsigned, T value, int offset) {
  return emulation::exchange(value, emulation::lane() - offset);
}

template <typename T>
T __shfl_down_sync(unsigned, T value, int offset) {
  return emulation::exchange(value, emulation::lane() + offset);
}

template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return emulation::exchange(value, emulation::lane() ^ mask);
}

namespace selective_scan::cuda {
alignas(16) extern unsigned char scratch[];
}

template <typename... Parameters>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Parameters... arguments) {
  const unsigned threads = config->blockDim.x;
  if (threads == 0 || threads > emulation::kMostThreads || threads % emulation::kWarpSize != 0 ||
      config->gridDim.x == 0 || config->dynamicSmemBytes > emulation::kMostShared) {
    return cudaErrorInvalidConfiguration;
  }
  emulation::kernel = [&] { kernel(arguments...); };
  for (unsigned block = 0; block < config->gridDim.x; ++block) {
    emulation::block_index.x = block;
    // All ones is a NaN in every type.
    std::memset(selective_scan::cuda::scratch, 0xff, emulation::kMostShared);
    emulation::run_block(threads);
  }
  return cudaSuccess;
}
