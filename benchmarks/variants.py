# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The scan of a map as others compute it: four routes laid out, scanned as sequences, merged.

Each takes what `selective_scan.ss2d_scan` takes and gives the same. `scans` puts one of them into
the models of this project.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock

import torch
from selective_scan import selective_scan, selective_scan_ref, ss2d_scan
from torch import Tensor

Scan = Callable[..., Tensor]


def unfused(
    x: Tensor,
    projections: Tensor,
    dt_weight: Tensor,
    A: Tensor,
    D: Tensor | None = None,
    *,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    out_dtype: torch.dtype | None = None,
    scan: Scan = selective_scan,
) -> Tensor:
    """Cross-scan, a scan of sequences, cross-merge."""
    _, height, width, channels = x.shape
    y = scan(
        **routes(x, projections, dt_weight, A.shape[1]),
        A=A,
        D=D,
        delta_bias=delta_bias,
        delta_softplus=delta_softplus,
        out_dtype=out_dtype,
    )
    return cross_merge(y.unflatten(1, (4, channels)), height, width)


VARIANTS: dict[str, Scan] = {
    'fused': ss2d_scan,
    'unfused': unfused,
    'torch-scan': partial(unfused, scan=selective_scan_ref),
}


def routes(x: Tensor, projections: Tensor, dt_weight: Tensor, state: int) -> dict[str, Tensor]:
    """u, delta, B and C of the sequence op: four copies of the map, channels first, and steps
    expanded."""
    rank = dt_weight.shape[2]
    u = cross_scan(x.permute(0, 3, 1, 2))
    # (B, R + 2N, H, W) of each route
    by_route = projections.permute(3, 0, 4, 1, 2)
    projected = torch.stack(
        [
            by_route[0].flatten(2),
            by_route[1].transpose(2, 3).flatten(2),
            by_route[2].flatten(2).flip(-1),
            by_route[3].transpose(2, 3).flatten(2).flip(-1),
        ],
        dim=1,
    )
    dt, B, C = projected.split((rank, state, state), dim=2)
    return dict(
        u=u.flatten(1, 2),
        delta=torch.einsum('bkrl,ker->bkel', dt, dt_weight.to(dt.dtype)).flatten(1, 2),
        B=B.contiguous(),
        C=C.contiguous(),
    )


def cross_scan(x: Tensor) -> Tensor:
    """(B, E, H, W) -> (B, 4, E, L): row by row, column by column, and the reverses."""
    forward = torch.stack((x.flatten(2), x.transpose(2, 3).flatten(2)), dim=1)
    return torch.cat((forward, forward.flip(-1)), dim=1)


def cross_merge(y: Tensor, height: int, width: int) -> Tensor:
    """(B, 4, E, L) -> (B, H, W, E): the routes back on the map and added."""
    both = y[:, :2] + y[:, 2:].flip(-1)
    columns = both[:, 1].unflatten(-1, (width, height)).transpose(2, 3).flatten(2)
    return (both[:, 0] + columns).unflatten(-1, (height, width)).permute(0, 2, 3, 1).contiguous()


@contextmanager
def scans(scan: Scan) -> Iterator[None]:
    """Within it every SS2D scans by `scan`."""
    with mock.patch('mmseg_remamber.vmamba.ss2d.ss2d_scan', scan):
        yield


class Stopwatch:
    """Wraps a scan and adds up the seconds of its calls, forward and backward.

    Args:
        scan: what to time.
        device: where it runs; on CUDA the device is waited for around each call.
    """

    def __init__(self, scan: Scan, device: torch.device):
        self.scan, self.device = scan, device
        self.seconds = 0.0

    def __call__(self, *tensors: Tensor, **options) -> Tensor:
        # the bias is a keyword of the op, but only positional tensors get gradients
        delta_bias = options.pop('delta_bias', None)
        return _Timed.apply(self, options, delta_bias, *tensors)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._wait()
        start = time.perf_counter()
        yield
        self._wait()
        self.seconds += time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)


class _Timed(torch.autograd.Function):
    """A graph of its own for the scan, so that its backward begins and ends at known times."""

    @staticmethod
    def forward(ctx, stopwatch, options, delta_bias, *tensors):
        inputs = [
            tensor if tensor is None else tensor.detach().requires_grad_(needed)
            for tensor, needed in zip((delta_bias, *tensors), ctx.needs_input_grad[2:], strict=True)
        ]
        with stopwatch.running(), torch.set_grad_enabled(any(ctx.needs_input_grad)):
            y = stopwatch.scan(*inputs[1:], delta_bias=inputs[0], **options)
        ctx.stopwatch, ctx.inputs, ctx.y = stopwatch, inputs, y
        return y.detach()

    @staticmethod
    def backward(ctx, dy):
        asked = [x for x in ctx.inputs if x is not None and x.requires_grad]
        with ctx.stopwatch.running():
            gradients = iter(torch.autograd.grad(ctx.y, asked, dy))
        return (
            None,
            None,
            *(next(gradients) if x is not None and x.requires_grad else None for x in ctx.inputs),
        )
