#!/bin/sh
# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
# Build the CPU kernels with AddressSanitizer, away from the installed ones, and run the tests on
# them: selective_scan/tests/asan.sh [pytest arguments]. PYTHON chooses the interpreter.
set -eu
python=${PYTHON:-python}
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source" "$work/site"
cp -r "$source/csrc" "$source/selective_scan" "$source/tests" "$work/source"
cp "$source"/*.py "$source"/*.toml "$source"/*.md "$source"/*.in "$source/LICENSE" "$work/source"
rm -f "$work/source/selective_scan"/_C.*

flags='-fsanitize=address -fno-omit-frame-pointer -g -O1'
FORCE_CUDA=0 CFLAGS="$flags" CXXFLAGS="$flags" LDFLAGS='-fsanitize=address' \
  "$python" -m pip install -q --no-build-isolation --no-deps --target "$work/site" "$work/source"

# The interpreter has no sanitizer of its own, so that its runtime must come first; Python and torch
# keep memory to the end, which is no leak of the kernels.
cd "$work"
# nvcc does not start with the preload, and memory is that of the sanitizer.
asan=$(${CXX:-g++} -print-file-name=libasan.so)
stdcxx=$(${CXX:-g++} -print-file-name=libstdc++.so)
PYTHONPATH="$work/site" ASAN_OPTIONS=detect_leaks=0 OMP_NUM_THREADS=2 LD_PRELOAD="$asan $stdcxx" \
  "$python" -m pytest -q -p no:cacheprovider "$source/tests" \
  --ignore="$source/tests/test_cuda_compile.py" --ignore="$source/tests/test_memory.py" "$@"
