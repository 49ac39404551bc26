# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time whole models, and variants of their scan, against what the machine can do.

    python benchmarks/end_to_end.py [CONFIG ...] [--sizes 256 480 1024] [--batch-sizes 1 8]
        [--modes inference training] [--variants fused unfused torch-scan] [--out end_to_end.json]
    python tools/analysis_tools/plot_cost.py end_to_end.json --batch-size 1 --out end_to_end.png

Set OMP_WAIT_POLICY=passive on a machine that others use too: threads that spin while they wait take
the time of those they wait for.

Each case has a process of its own, with random weights and noise: neither changes the cost. Its
rounds time in turn the model, the product of two large matrices in the case's type, and the copy of
a large buffer, so that a busy machine slows all of them alike. A training step is forward, losses,
backward and the optimizer's update. Peak memory, of a run before those that are timed, is what it
needs beside weights and input: the resident set's growth on a CPU, the allocator's on CUDA. Before
all, each variant's logits are compared with those of the fused scan.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import OPTIMIZERS
from report import setting
from torch import nn
from variants import VARIANTS, Scan, Stopwatch, scans

import mmseg_remamber.register  # noqa: F401  each case is built in a new process
from mmseg_remamber.analysis.cost import (
    count_flops,
    count_training_flops,
    random_inputs,
)
from mmseg_remamber.analysis.machine import Limits, describe_machine
from mmseg_remamber.analysis.memory import peak_memory
from mmseg_remamber.analysis.timing import measure_latency, medians, ratio
from mmseg_remamber.analysis.workload import inference, training_step
from mmseg_remamber.configuration import load_config
from mmseg_remamber.configuration.names import find_config
from mmseg_remamber.models.build import build_model
from mmseg_remamber.models.precision import DTYPES

CONFIGS = (
    'remamber-conv_vmamba-b_8xb8-50e_refcoco-480x480',
    'remamber-mamba_vmamba-b_8xb8-50e_refcoco-480x480',
    'lavt_swin-b_4xb8-40e_refcoco-480x480',
    'lgformer_swin-b_2xb16-40e_refcoco-480x480',
)
MODES = ('inference', 'training')
SLOW = ('torch-scan',)  # timed once
SMALL = (64, 64)  # of the runs before the first that is measured


class Case(NamedTuple):
    model: str
    variant: str
    mode: str
    dtype: str
    compiled: bool
    side: int
    batch: int

    @property
    def name(self) -> str:
        """What it is called in tables and figures, beside mode, type and sizes."""
        variant = '' if self.variant == 'fused' else f', {self.variant}'
        return self.model + variant + ', compiled' * self.compiled

    @property
    def size(self) -> tuple[int, int]:
        return self.side, self.side


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'configs', nargs='*', default=CONFIGS, help='files or names; the base models by default'
    )
    parser.add_argument(
        '--variants', choices=VARIANTS, nargs='+', default=['fused', 'unfused'],
        help='fused is the model; unfused lays out four routes; torch-scan also loops in Python; '
        'a model without scans is timed once',
    )  # fmt: skip
    parser.add_argument('--sizes', type=int, nargs='+', default=[256, 480, 1024])
    parser.add_argument('--batch-sizes', type=int, nargs='+', default=[1, 8])
    parser.add_argument('--modes', choices=MODES, nargs='+', default=['inference'])
    parser.add_argument(
        '--dtypes', choices=DTYPES, nargs='+', default=['float32'], help='half: by autocast'
    )
    parser.add_argument('--compile', action='store_true', help='the fused model compiled, too')
    parser.add_argument('--tf32', action='store_true', help='let CUDA round float32 products')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--out', type=Path, help='JSON to write, anew after each case')
    args = parser.parse_args()
    if torch.device(args.device).type == 'cpu' and 'float16' in args.dtypes:
        parser.error('float16 is for CUDA: take bfloat16 on a CPU')
    return args


def cases(args: argparse.Namespace, models: Mapping[str, bool]) -> Iterator[Case]:
    """Those that are compared with each other follow each other. models: whether each has scans."""
    for side, batch, dtype, mode, model in product(
        args.sizes, args.batch_sizes, args.dtypes, args.modes, models
    ):
        for variant in args.variants if models[model] else ['fused']:
            yield Case(model, variant, mode, dtype, False, side, batch)
        if args.compile:
            yield Case(model, 'fused', mode, dtype, True, side, batch)


def measure(case: Case, cfg: Config, flops: int, args: argparse.Namespace) -> dict[str, object]:
    """The figures of one case, in a new process."""
    torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    torch.manual_seed(0)
    device, dtype = torch.device(args.device), case.dtype
    model = build_model(cfg, device)
    inputs = random_inputs(model, case.size, case.batch, args.device)
    scan = VARIANTS[case.variant]
    check(model, scan)

    network = model.logits if case.mode == 'inference' else model.maps
    forward = torch.compile(network) if case.compiled else None
    with scans(scan):
        # Libraries set themselves up at first use; a compiler needs the size to be measured.
        small = inputs if case.compiled else random_inputs(model, SMALL, 1, args.device)
        if case.mode == 'inference':
            inference(model, small, dtype, forward=forward)()
            run = inference(model, inputs, dtype, forward=forward)
        else:
            training_step(model, small, dtype, forward=forward)()
            optimizer = OPTIMIZERS.build(
                dict(cfg.optim_wrapper.optimizer, params=model.parameters())
            )
            run = training_step(model, inputs, dtype, forward=forward, optimizer=optimizer)
        run = finished(run, device)
        peak = peak_memory(run, device, of='allocator' if device.type == 'cuda' else 'process')

    scan_share = None if case.compiled else share_of_scans(run, scan, device)
    limits = Limits(device, DTYPES[dtype])
    candidates = dict(product=limits.product, copy=limits.copy)
    slow, own = case.variant in SLOW, dict(run=run)
    with scans(scan):
        times = measure_latency(
            candidates if slow else candidates | own, device, warmup=1, repeats=args.rounds,
            once=own if slow else None,
        )  # fmt: skip
    median = medians(times)
    # of the products that the machine would do in the model's time
    in_products = flops * case.batch / limits.flops
    return dict(
        latency_ms=median['run'],
        latency_ms_min=min(times['run']),
        throughput=1e3 * case.batch / median['run'],
        share_of_product_rate=in_products * ratio(times, 'product', 'run'),
        product_gflops=limits.flops / median['product'] / 1e6,
        copy_gbs=limits.bytes / median['copy'] / 1e6,
        peak_memory_mb=peak / 1e6,
        scan_share=scan_share,
        rounds=1 if slow else args.rounds,
    )


def check(model: nn.Module, scan: Scan) -> None:
    """A variant computes what the model does."""
    run = inference(model, random_inputs(model, SMALL, 1, str(next(model.parameters()).device)))
    expected = run()
    with scans(scan):
        found = run()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * expected.std().item())


def finished(run: Callable[[], object], device: torch.device) -> Callable[[], None]:
    """A run that ends when the device has."""

    def wait() -> None:
        run()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)

    return wait


def share_of_scans(run: Callable[[], None], scan: Scan, device: torch.device) -> float:
    """Of a run's time, that of its scans, forward and backward, with all that lays out routes."""
    watch = Stopwatch(scan, device)
    with scans(watch):
        start = time.perf_counter()
        run()
        return watch.seconds / (time.perf_counter() - start)


def in_own_process(case: Case, *arguments: object) -> dict[str, object]:
    """The figures, or why there are none: a case may need more memory than there is."""
    with ProcessPoolExecutor(1, mp_context=get_context('spawn')) as pool:
        try:
            return pool.submit(measure, case, *arguments).result()
        except (BrokenProcessPool, torch.OutOfMemoryError) as error:
            return dict(failed=f'{type(error).__name__}: {error}'.splitlines()[0])


def exponents(results: list[dict]) -> list[dict[str, object]]:
    """The power of the number of pixels that time grows with, where there are several sizes."""
    keys = ('config', 'mode', 'dtype', 'batch')
    groups: dict[tuple, list[dict]] = {}
    for result in results:
        if 'failed' not in result:
            groups.setdefault(tuple(result[key] for key in keys), []).append(result)
    fits = []
    for group, points in groups.items():
        if len(points) > 1:
            pixels = [point['size'][0] * point['size'][1] for point in points]
            times = [point['latency_ms'] for point in points]
            slope = float(np.polyfit(np.log(pixels), np.log(times), 1)[0])
            sides = sorted(point['size'][0] for point in points)
            fits.append(dict(zip(keys, group, strict=True), sides=sides, exponent=slope))
    return fits


def machine(args: argparse.Namespace) -> dict[str, object]:
    """What a report belongs to."""
    own = dict(threads=args.threads, tf32=args.tf32)
    return setting() | describe_machine(args.device) | own


def main() -> None:
    args = parse_args()
    os.environ.setdefault('PYTHONWARNINGS', 'ignore::UserWarning')  # once is enough
    paths = [
        Path(config) if config.endswith('.py') else find_config(config) for config in args.configs
    ]
    # without schedule, data and size, which are not those of the case
    configs = {path.stem.rsplit('_', 2)[0]: load_config(path) for path in paths}

    @cache
    def operators(model: str, size: tuple[int, int]) -> dict[str, int]:
        return count_flops(configs[model], size)['']

    @cache
    def operations(model: str, size: tuple[int, int], mode: str) -> int:
        if mode == 'training':
            return count_training_flops(configs[model], size)
        return sum(operators(model, size).values())

    with_scans = {
        model: any('selective_scan' in name for name in operators(model, SMALL))
        for model in configs
    }

    print(f'{machine(args)["device"]}, {args.threads} threads, torch {torch.__version__}')
    columns = ('model', 'mode', 'type', 'px', 'batch', 'ms', 'least ms', 'images/s', 'GFLOP/image')
    columns += ('of product rate', 'product GFLOP/s', 'copy GB/s', 'peak MB', 'scans')
    print(f'| {" | ".join(columns)} |')
    print(f'|---|---|---|{"---:|" * (len(columns) - 3)}')
    results = []
    for case in cases(args, with_scans):
        flops = operations(case.model, case.size, case.mode)
        figures = in_own_process(case, configs[case.model], flops, args)
        result = dict(config=case.name, **case._asdict(), size=list(case.size), flops=flops)
        del result['side']
        results.append(result | figures)
        print(row(case, results[-1]), flush=True)
        if args.out:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            report = dict(
                machine=machine(args),
                results=results,
                exponents=exponents(results),
            )
            args.out.write_text(json.dumps(report, indent=2) + '\n')
    for fit in exponents(results):
        print(
            f'{fit["config"]}, {fit["mode"]}, {fit["dtype"]}, batch {fit["batch"]}: '
            f'time grows as pixels to the {fit["exponent"]:.3f}, sides {fit["sides"]}'
        )


def row(case: Case, result: dict) -> str:
    """A line of the table."""
    cells = [case.name, case.mode, case.dtype, str(case.side), str(case.batch)]
    if 'failed' in result:
        return f'| {" | ".join(cells)} | {result["failed"]} |'
    share = result['scan_share']
    cells += [
        f'{result["latency_ms"]:.1f}',
        f'{result["latency_ms_min"]:.1f}',
        f'{result["throughput"]:.2f}',
        f'{result["flops"] / 1e9:.1f}',
        f'{result["share_of_product_rate"]:.1%}',
        f'{result["product_gflops"]:.0f}',
        f'{result["copy_gbs"]:.1f}',
        f'{result["peak_memory_mb"]:.0f}',
        '' if share is None else f'{share:.1%}',
    ]
    return f'| {" | ".join(cells)} |'


if __name__ == '__main__':
    main()
