# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Inputs that every test of the scan draws from."""

import torch

OPTIONAL = ('D', 'delta_bias', 'z')


def make_inputs(
    batch=2, groups=2, rows=3, state=2, length=7, *, dtype=torch.float64, optional=OPTIONAL, seed=0
):
    """Arguments of the scan by name, stable (A < 0) and of ordinary size."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    channels = groups * rows
    low = dtype in (torch.float16, torch.bfloat16)
    inputs = {
        'u': normal(batch, channels, length),
        'delta': normal(batch, channels, length),
        'A': -normal(channels, state).exp(),
        'B': normal(batch, groups, state, length),
        'C': normal(batch, groups, state, length),
        'D': normal(channels),
        'delta_bias': normal(channels),
        'z': normal(batch, channels, length),
    }
    if low:  # parameters stay float32 in mixed precision
        inputs.update({key: inputs[key].float() for key in ('A', 'D', 'delta_bias')})
    return {k: v for k, v in inputs.items() if k not in OPTIONAL or k in optional}


def relative_error(got, expected):
    return ((got.double() - expected).norm() / expected.norm().clamp_min(1e-30)).item()


def make_map_inputs(
    batch=2,
    height=3,
    width=4,
    channels=5,
    state=2,
    rank=3,
    *,
    dtype=torch.float64,
    optional=('D', 'delta_bias'),
    seed=0,
):
    """Arguments of the scan of a map by name, stable (A < 0) and of ordinary size."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    rows = 4 * channels
    inputs = {
        'x': normal(batch, height, width, channels),
        'projections': normal(batch, height, width, 4, rank + 2 * state),
        'dt_weight': normal(4, channels, rank) / rank**0.5,
        'A': -normal(rows, state).exp(),
        'D': normal(rows),
        'delta_bias': normal(rows),
    }
    if dtype in (torch.float16, torch.bfloat16):  # parameters stay float32 in mixed precision
        for key in ('dt_weight', 'A', 'D', 'delta_bias'):
            inputs[key] = inputs[key].float()
    return {k: v for k, v in inputs.items() if k not in ('D', 'delta_bias') or k in optional}
