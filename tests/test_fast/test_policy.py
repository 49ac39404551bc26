# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""When fast forms run, and that each of them gives what its plain form gives."""

import inspect
import threading
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from pkgutil import walk_packages

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

import mmseg_remamber
from mmseg_remamber import fast
from mmseg_remamber.fast import strips
from mmseg_remamber.layers import MLP, Linear, PatchEmbedV2
from mmseg_remamber.models.conv import ConvModule
from mmseg_remamber.models.lavt import PWAM, LAVTHead
from mmseg_remamber.models.remamber import LocalText, ReMamberConvHead, ReMamberMambaHead, Twister
from mmseg_remamber.models.remamber.mamba_head import MambaHeadLevel
from mmseg_remamber.text import Text
from mmseg_remamber.vmamba import SS2D, VSSBlock

TEXT = Text(
    torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(1)),
    torch.arange(5) < torch.tensor([[5], [3]]),
    torch.randn(2, 12, generator=torch.Generator().manual_seed(2)),
)
LOCAL = dict(text_dim=12, num_tokens=5, hidden_dim=10)
SCANS = ('channel-spatial', 'spatial-channel', 'parallel', 'channel', 'spatial')


def pyramid() -> list[Tensor]:
    """Four maps of odd sides."""
    return [torch.randn(2, 8 * 2**i, -(-19 // 2**i), -(-13 // 2**i)) for i in range(4)]


def twister_maps(constant: bool) -> list[Tensor]:
    return [torch.randn(2, 9, 7, 8), torch.randn(2, 1 if constant else 9, 1 if constant else 7, 8)]


#: Module with a fast form -> how it is made, and its arguments.
CASES = {
    'Linear': (lambda: Linear(8, 6), lambda: [torch.randn(2, 9, 7, 8)]),
    'PatchEmbedV2': (lambda: PatchEmbedV2(3, 8), lambda: [torch.randn(3, 3, 13, 18)]),
    'MLP': (lambda: MLP(8, 20), lambda: [torch.randn(2, 9, 7, 8)]),
    'SS2D': (lambda: SS2D(8), lambda: [torch.randn(2, 9, 7, 8)]),
    'SS2D gated': (
        lambda: SS2D(8, in_dim=12, state_dim=3, gated=True, conv_bias=True),
        lambda: [torch.randn(2, 9, 7, 12)],
    ),
    'VSSBlock': (lambda: VSSBlock(8), lambda: [torch.randn(2, 9, 7, 8)]),
    'VSSBlock gated': (
        lambda: VSSBlock(8, gated=True, mlp_ratio=0.0, drop_path=0.5),
        lambda: [torch.randn(1, 11, 1, 8)],
    ),
    'ConvModule': (
        lambda: ConvModule(4, 6, 3, padding=1, norm_cfg=dict(type='BN')),
        lambda: [torch.randn(2, 4, 9, 7)],
    ),
    'LocalText': (lambda: LocalText(8, **LOCAL), lambda: [torch.randn(2, 9, 7, 8), TEXT]),
    'LocalText masked': (
        lambda: LocalText(8, **LOCAL, mask_padding=True),
        lambda: [torch.randn(2, 9, 7, 8), TEXT],
    ),
    **{
        f'Twister {scans} {kind}': (
            partial(Twister, 8, num_maps=2, scans=scans, scan_size=4),
            partial(twister_maps, kind == 'constant'),
        )
        for scans in SCANS
        for kind in ('constant', 'map')
    },
    'MambaHeadLevel': (
        lambda: MambaHeadLevel(
            8, **LOCAL, depth=2, state_dim=1, ratio=2.0, mask_padding=False
        ),
        lambda: [torch.randn(2, 8, 5, 7), TEXT, (9, 13)],
    ),
    'ReMamberMambaHead': (
        lambda: ReMamberMambaHead([8, 16, 32, 64], **LOCAL, depths=(1, 1, 1, 1)),
        lambda: [pyramid(), TEXT],
    ),
    'ReMamberConvHead': (
        lambda: ReMamberConvHead([8, 16, 32, 64], channels=12),
        lambda: [pyramid(), TEXT],
    ),
    'PWAM': (
        lambda: PWAM(8, text_dim=LOCAL['text_dim'], heads=2),
        lambda: [torch.randn(2, 9, 7, 8), TEXT],
    ),
    'LAVTHead': (
        lambda: LAVTHead([8, 16, 32, 64], channels=12),
        lambda: [pyramid(), TEXT],
    ),
}  # fmt: skip


def uses_policy(kind: type) -> bool:
    return 'forward' in vars(kind) and 'fast.applies(' in inspect.getsource(kind.forward)


def test_every_module_with_a_fast_form_is_compared():
    found = set()
    for info in walk_packages(mmseg_remamber.__path__, 'mmseg_remamber.'):
        if '.__main__' in info.name:
            continue
        members = vars(import_module(info.name)).values()
        found |= {m.__name__ for m in members if inspect.isclass(m) and uses_policy(m)}
    assert found == {name.split()[0] for name in CASES}


def make(name: str) -> tuple[nn.Module, list]:
    torch.manual_seed(0)
    build, arguments = CASES[name]
    module = build().eval()
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 2)
            nn.init.normal_(norm.running_mean)
    return module, arguments()


@pytest.mark.parametrize('name', CASES)
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@torch.no_grad()
def test_fast_equals_plain(monkeypatch, name, dtype):
    monkeypatch.setattr(strips, 'STRIP_VALUES', 64)  # strips of few rows even of small maps
    module, arguments = make(name)
    context = torch.autocast('cpu', torch.bfloat16) if dtype == 'bfloat16' else nullcontext()
    with context:
        got = module(*arguments)
        with fast.disabled():
            want = module(*arguments)
    if dtype == 'float32':
        assert_close(got, want, rtol=1e-4, atol=1e-5)
    else:  # rounded in other places
        got, want = (x[-1] if isinstance(x, list) else x for x in (got, want))
        assert float((got - want).float().norm() / want.float().norm()) < 2e-2


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('name', CASES)
def test_fast_equals_plain_with_gradients(name, training):
    module, arguments = make(name)
    module = module.double().train(training)
    inputs, leaves = [], list(module.parameters())
    for argument in arguments:
        tensors = argument if isinstance(argument, (list, Text)) else [argument]
        moved = [
            x.double().requires_grad_() if isinstance(x, Tensor) and x.is_floating_point() else x
            for x in tensors
        ]
        leaves += [x for x in moved if isinstance(x, Tensor) and x.requires_grad]
        is_text = isinstance(argument, Text)
        inputs.append(
            Text(*moved) if is_text else moved if isinstance(argument, list) else moved[0]
        )
    results = []
    for mode in (nullcontext, fast.disabled):
        torch.manual_seed(3)  # of drop path
        with mode():
            out = module(*inputs)
        out = out[-1] if isinstance(out, list) else out
        results.append((out, torch.autograd.grad(out.sin().sum(), leaves, allow_unused=True)))
    (got, got_grads), (want, want_grads) = results
    assert_close(got, want, rtol=1e-9, atol=1e-11)
    for a, b in zip(got_grads, want_grads, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert_close(a, b, rtol=1e-7, atol=1e-9)


def test_one_rule_says_when_they_run():
    x = torch.randn(2)
    assert not fast.applies(x) and fast.applies(x, in_training=True)
    assert not fast.applies(x.to('meta'), in_training=True)
    with torch.no_grad():
        assert fast.applies(x) and not fast.applies(x.to('meta'))
        with fast.disabled():
            assert not fast.applies(x) and not fast.applies(x, in_training=True)
        assert fast.applies(x)


def test_the_switch_is_put_back_after_an_error():
    x = torch.randn(2)
    with pytest.raises(KeyError), fast.disabled():
        raise KeyError
    assert fast.applies(x, in_training=True)


def test_the_switch_is_of_its_thread_alone():
    x, seen = torch.randn(2), []
    with fast.disabled():
        thread = threading.Thread(target=lambda: seen.append(fast.applies(x, in_training=True)))
        thread.start()
        thread.join()
    assert seen == [True]


@pytest.mark.parametrize('capture', ['export', 'trace', 'compile'])
@torch.no_grad()
def test_captured_graphs_get_the_plain_form(capture):
    class Told(nn.Module):
        def forward(self, x):
            return x + 1 if fast.applies(x, in_training=True) else x - 1

    x, module = torch.zeros(3), Told()
    assert torch.equal(module(x), x + 1)
    captured = dict(
        export=lambda: torch.export.export(module, (x,)).module(),
        trace=lambda: torch.jit.trace(module, (x,)),
        compile=lambda: torch.compile(module, backend='eager', fullgraph=True),
    )[capture]()
    assert torch.equal(captured(x), x - 1)


@torch.no_grad()
def test_hooks_see_whole_maps_in_the_plain_form(monkeypatch):
    monkeypatch.setattr(strips, 'STRIP_VALUES', 64)
    block, seen = VSSBlock(8).eval(), {}
    for name, module in block.named_modules():
        module.register_forward_hook(lambda m, args, out, name=name: seen.update({name: out.shape}))
    with fast.disabled():
        block(torch.randn(1, 9, 7, 8))
    assert set(seen) == {name for name, _ in block.named_modules()}
    assert {tuple(shape[1:3]) for name, shape in seen.items() if name != 'op.conv2d'} == {(9, 7)}
    assert seen['op.conv2d'] == (1, 16, 9, 7)
