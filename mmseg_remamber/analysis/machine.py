# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The machine that figures are measured on, and what it can do at best."""

import platform
from pathlib import Path

import torch


def processor() -> str:
    """Name of the CPU: its model, or where the system does not say it, its architecture."""
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()


def describe_machine(device: str | torch.device) -> dict[str, str | int]:
    """What measured figures belong to: the device's name, threads and torch's version."""
    on_cuda = torch.device(device).type == 'cuda'
    return dict(
        device=torch.cuda.get_device_name(device) if on_cuda else processor(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )


class Limits:
    """The fastest that a machine multiplies and copies: what no network of its sums can beat.

    Args:
        device: Where they run.
        dtype: Type of the product; the copy is of bytes.

    Attributes:
        flops: Operations of a product.
        bytes: What a copy reads and writes.
    """

    # sides of the two matrices; the larger keep a GPU busy for long enough to be timed
    SIDES = dict(cpu=2048, cuda=8192)
    BUFFER = 2**28  # bytes, far beyond the caches

    def __init__(self, device: torch.device, dtype: torch.dtype = torch.float32):
        side = self.SIDES[device.type]
        self.matrices = torch.randn(2, side, side, device=device).to(dtype)
        self.source, self.target = torch.ones(
            2, self.BUFFER, dtype=torch.uint8, device=device
        ).unbind()
        self.flops = 2 * side**3
        self.bytes = 2 * self.BUFFER  # read and written

    def product(self) -> None:
        """Multiply two square matrices."""
        torch.mm(*self.matrices)

    def copy(self) -> None:
        """Copy a buffer."""
        self.target.copy_(self.source)
