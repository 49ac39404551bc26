# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The compiled library: found and loaded on import, described, and missed with a clear error."""

from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

import torch

DISTRIBUTION = 'selective-scan-op'
BUILD_COMMAND = 'pip install --no-build-isolation ./selective_scan'
CPU_CAPABILITIES = ('default', 'avx2', 'avx512')


def _load() -> Path | None:
    library = next(Path(__file__).parent.glob('_C.*'), None)
    if library is not None:
        torch.ops.load_library(library)
    return library


LIBRARY = _load()
# What was built: torch ABI, CPU capability, CUDA, and the steps between the states that forward
# keeps for backward, of a sequence and of a route over a map. Nothing reads them without a library.
TORCH_ABI, CPU_CAPABILITY, CUDA, CHUNK, MAP_CHUNK = (
    (0, 0, False, 0, 0) if LIBRARY is None else torch.ops.selective_scan.build_info()
)


class Info(TypedDict):
    """What `info` returns."""

    version: str
    library: str | None
    torch_abi: str | None
    cpu_capability: str | None
    cuda: bool


def require(device: torch.device) -> None:
    """Raise ImportError, with the command that builds them, unless there are kernels for device."""
    if LIBRARY is None:
        raise ImportError(
            f'selective_scan has no compiled kernels in {Path(__file__).parent}; '
            f'build them: {BUILD_COMMAND}'
        )
    if device.type == 'cuda' and not CUDA:
        raise ImportError(
            f'selective_scan was built without CUDA kernels, got tensors on {device}; '
            f'build them: FORCE_CUDA=1 {BUILD_COMMAND}'
        )


def info() -> Info:
    """What was built: version, torch ABI, CPU capability in use, CUDA.

    Returns:
        `version` of the distribution; `library`, the file name of the compiled kernels, or None
        when they are missing, and then the rest is None or False; `torch_abi`, the oldest torch
        that the build serves; `cpu_capability`, one of 'default', 'avx2', 'avx512': the
        instructions in use; `cuda`, whether CUDA kernels were built.
    """
    return {
        'version': version(DISTRIBUTION),
        'library': LIBRARY.name if LIBRARY else None,
        'torch_abi': f'{TORCH_ABI >> 56}.{TORCH_ABI >> 48 & 0xFF}' if LIBRARY else None,
        'cpu_capability': CPU_CAPABILITIES[CPU_CAPABILITY] if LIBRARY else None,
        'cuda': CUDA,
    }
