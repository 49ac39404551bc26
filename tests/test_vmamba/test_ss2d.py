# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""SS2D against a loop written from the definition."""

import pytest
import torch
import torch.nn.functional as F

from mmseg_remamber.vmamba import SS2D


def positions(height, width):
    """Order in which each route visits the cells of a map."""
    rows = [(i, j) for i in range(height) for j in range(width)]
    columns = [(i, j) for j in range(width) for i in range(height)]
    return rows, columns, rows[::-1], columns[::-1]


def by_definition(module: SS2D, x: torch.Tensor) -> torch.Tensor:
    """One cell at a time, from the reference's formulas. x: (B, H, W, in_dim) float64."""
    x = module.in_proj(x)
    z = None
    if module.gated:
        x, z = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
    x = F.silu(module.conv2d(x.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)
    batch, height, width, inner = x.shape
    n, r = module.state_dim, module.rank
    total = torch.zeros_like(x)
    for k, route in enumerate(positions(height, width)):
        a = -module.A_logs[k * inner : (k + 1) * inner].exp()
        skip = module.Ds[k * inner : (k + 1) * inner]
        state = x.new_zeros(batch, inner, n)
        for i, j in route:
            u = x[:, i, j]
            projected = u @ module.x_proj_weight[k].T
            dt, b, c = projected[:, :r], projected[:, r : r + n], projected[:, r + n :]
            d = F.softplus(dt @ module.dt_projs_weight[k].T + module.dt_projs_bias[k])[..., None]
            state = (d * a).exp() * state + d * b[:, None] * u[..., None]
            total[:, i, j] += (state * c[:, None]).sum(-1) + skip * u
    y = module.out_norm(total)
    return module.out_proj(y if z is None else y * F.silu(z))


@pytest.mark.parametrize('hw', [(1, 1), (5, 7), (1, 9), (6, 1)])
@pytest.mark.parametrize(
    'options',
    [dict(), dict(gated=True, state_dim=3, conv_bias=True), dict(in_dim=5, ratio=1.5)],
    ids=['plain', 'gated', 'in_dim'],
)
def test_equals_the_definition(hw, options):
    torch.manual_seed(0)
    module = SS2D(8, **options).double()
    x = torch.randn(2, *hw, options.get('in_dim', 8), dtype=torch.float64)
    assert torch.allclose(module(x), by_definition(module, x), atol=1e-10)


def test_gradients():
    torch.manual_seed(0)
    module = SS2D(3, state_dim=2, gated=True).double()
    x = torch.randn(1, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(module, (x,))


def test_reads_a_map_that_is_not_contiguous():
    torch.manual_seed(0)
    module = SS2D(4)
    x = torch.randn(2, 4, 5, 6)
    assert torch.allclose(module(x.permute(0, 2, 3, 1)), module(x.permute(0, 2, 3, 1).contiguous()))


def test_bfloat16_autocast_is_close_and_finite():
    torch.manual_seed(0)
    module = SS2D(16)
    x = torch.randn(1, 12, 12, 16)
    want = module(x)
    with torch.autocast('cpu', torch.bfloat16):
        got = module(x)
    assert torch.isfinite(got).all()
    assert float((got.float() - want).norm() / want.norm()) < 2e-2


def test_initial_steps_and_decay():
    module = SS2D(32, state_dim=4)
    steps = F.softplus(module.dt_projs_bias)
    assert float(steps.min()) >= 1e-3 * 0.99
    assert float(steps.max()) <= 0.1 * 1.01
    assert torch.allclose(module.A_logs.exp(), torch.arange(1.0, 5.0).expand(4 * 64, 4))
    assert torch.equal(module.Ds, torch.ones(4 * 64))


@pytest.mark.parametrize('name', ['dim', 'state_dim', 'ratio'])
def test_sizes_must_be_positive(name):
    with pytest.raises(ValueError, match=f'{name} must be positive, got 0'):
        SS2D(**{'dim': 8, name: 0})
