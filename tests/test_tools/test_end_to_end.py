# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""benchmarks/end_to_end.py and the variants that it times."""

import json
import sys

import pytest
import torch
from selective_scan import ss2d_scan

from mmseg_remamber.analysis.cost import random_inputs
from mmseg_remamber.analysis.profiling import record_calls
from mmseg_remamber.analysis.workload import inference, training_step
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_model

MINI = 'configs/remamber/remamber-{}_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
CPU = torch.device('cpu')
VARIANTS = ('fused', 'unfused', 'torch-scan')


@pytest.fixture
def benchmarks(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / 'benchmarks'))


@pytest.fixture
def variants(benchmarks):
    import variants

    return variants


def inputs_of_a_scan():
    torch.manual_seed(0)
    inputs = [
        torch.randn(2, 3, 5, 8),
        torch.randn(2, 3, 5, 4, 2 + 2 * 3),
        torch.randn(4, 8, 2),
        -torch.rand(32, 3),
        torch.randn(32),
        torch.randn(32),
    ]
    return [tensor.double().requires_grad_() for tensor in inputs]


def gradients(scan, inputs):
    *tensors, delta_bias = inputs
    y = scan(*tensors, delta_bias=delta_bias, delta_softplus=True)
    return y, torch.autograd.grad(y.square().sum(), inputs)


@pytest.mark.parametrize('timed', [False, True])
@pytest.mark.parametrize('name', VARIANTS)
def test_variants_compute_the_fused_scan(variants, name, timed):
    scan = variants.VARIANTS[name]
    if timed:
        scan = variants.Stopwatch(scan, CPU)
    inputs = inputs_of_a_scan()
    torch.testing.assert_close(gradients(scan, inputs), gradients(ss2d_scan, inputs))


def test_a_stopwatch_counts_forward_and_backward(variants):
    watch = variants.Stopwatch(ss2d_scan, CPU)
    y, _ = gradients(watch, inputs_of_a_scan())
    assert y.grad_fn is not None
    both = watch.seconds
    with torch.no_grad():
        *tensors, bias = inputs_of_a_scan()
        assert watch(*tensors, delta_bias=bias, delta_softplus=True).grad_fn is None
    assert 0 < both < watch.seconds


@pytest.mark.parametrize('name', VARIANTS)
def test_a_model_scans_by_the_variant_alone(root, variants, name):
    model = build_model(load_config(root / MINI.format('mamba')))
    run = inference(model, random_inputs(model, (32, 32), 1, 'cpu'))
    expected = run()
    with variants.scans(variants.VARIANTS[name]):
        torch.testing.assert_close(run(), expected, rtol=1e-3, atol=1e-4)
        operators = {call.operator for call in record_calls(model, run, CPU, rounds=1)}
    scans = {name for name in operators if name.startswith('selective_scan')}
    assert (
        scans
        == {
            'fused': {'selective_scan.ss2d_forward'},
            'unfused': {'selective_scan.forward'},
            'torch-scan': set(),
        }[name]
    )


@pytest.mark.parametrize('name', VARIANTS[1:])
@pytest.mark.parametrize('step', [inference, training_step])
def test_variants_run_in_half_precision(root, variants, name, step):
    model = build_model(load_config(root / MINI.format('conv')))
    inputs = random_inputs(model, (32, 64), 1, 'cpu')
    with variants.scans(variants.VARIANTS[name]):
        step(model, inputs, 'bfloat16')()


def test_the_exponent_of_time_over_pixels(benchmarks):
    from end_to_end import exponents

    common = dict(config='mamba, fused', mode='inference', dtype='float32')
    results = [
        dict(common, batch=batch, size=[side, side], latency_ms=3 * side ** (2 * batch))
        for batch, side in ((1, 64), (1, 128), (2, 64), (2, 32), (3, 64))
    ]
    results.append(dict(common, batch=3, size=[128, 128], failed='killed'))
    fits = {fit['batch']: fit for fit in exponents(results)}
    assert sorted(fits) == [1, 2]
    assert [fits[batch]['exponent'] for batch in (1, 2)] == pytest.approx([1, 2])
    assert fits[2]['sides'] == [32, 64]


@pytest.mark.slow
def test_end_to_end(run, script, root, tmp_path):
    out, picture = tmp_path / 'cost.json', tmp_path / 'cost.png'
    output = run(
        'benchmarks/end_to_end.py', MINI.format('conv'), '--sizes', '64',
        '--batch-sizes', '2', '--modes', 'training', '--variants', 'unfused', '--rounds', '3',
        '--out', str(out),
    )  # fmt: skip
    report = json.loads(out.read_text())
    (result,) = report['results']
    assert (result['config'], result['size']) == ('remamber-conv_vmamba-mini, unfused', [64, 64])
    assert '| remamber-conv_vmamba-mini, unfused | training | float32 | 64 | 2 |' in output
    assert result['latency_ms_min'] <= result['latency_ms']
    assert result['throughput'] == pytest.approx(2e3 / result['latency_ms'])
    assert 0 < result['scan_share'] < 1 and 0 < result['share_of_product_rate'] < 1
    # at least the gradients and the optimizer's two moments
    model = build_model(load_config(root / MINI.format('conv')))
    assert result['peak_memory_mb'] > 3 * 4e-6 * sum(p.numel() for p in model.parameters())
    script('tools/analysis_tools/plot_cost.py', out, '--log', '--out', picture)
    assert picture.stat().st_size > 10_000
    with pytest.raises(SystemExit, match='choose by --batch-size, --mode and --dtype'):
        script('tools/analysis_tools/plot_cost.py', out, '--batch-size', 1)


def test_float16_needs_cuda(benchmarks, monkeypatch, capsys):
    from end_to_end import parse_args

    monkeypatch.setattr(sys, 'argv', ['end_to_end.py', '--dtypes', 'float16'])
    with pytest.raises(SystemExit):
        parse_args()
    assert 'float16 is for CUDA: take bfloat16 on a CPU' in capsys.readouterr().err
