# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time a training pipeline: samples a second from its workers, and each of its steps.

    python benchmarks/pipeline.py [CONFIG] [--workers 2] [--json pipeline.json] \\
        --cfg-options train_dataloader.dataset.data_root=DATA train_dataloader.dataset.split=train

The steps are timed in this process, one thread each, over samples drawn at random; the samples a
second are those that arrive from the workers. CPU time is beside them, as a busy machine lengthens
the clock's and not the CPU's. Files that were read once come from memory: the disk takes no part.
"""

import argparse
import resource
import statistics
import time
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from mmseg.registry import DATASETS
from mmseg.utils import register_all_modules
from report import write
from torch.utils.data import RandomSampler

from mmseg_remamber.configuration import add_cfg_options, load_config

CONFIG = 'configs/remamber/remamber-conv_vmamba-b_8xb8-50e_refcoco-480x480.py'
Figures = dict[str, float]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', nargs='?', default=CONFIG, help='whose train_dataloader is timed')
    parser.add_argument('--workers', type=int, nargs='+', default=[1, 2])
    parser.add_argument('--samples', type=int, default=400, help='in each measurement')
    parser.add_argument('--json', type=Path, help='also write the figures here')
    add_cfg_options(parser)
    return parser.parse_args()


def time_steps(dataset: BaseDataset, samples: int) -> dict[str, Figures]:
    """Milliseconds of each step: mean and 95th percentile by the clock, mean by the CPU."""
    rng = np.random.default_rng(0)
    indices = rng.integers(len(dataset), size=samples + 1).tolist()
    clock: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    for number, index in enumerate(indices):
        results = dataset.get_data_info(index)
        for position, step in enumerate(dataset.pipeline.transforms, 1):
            start, cpu_start = time.perf_counter(), time.process_time()
            results = step(results)
            if number:  # the first sample loads the tokenizer
                name = f'{position}. {type(step).__name__}'
                cpu.setdefault(name, []).append(time.process_time() - cpu_start)
                clock.setdefault(name, []).append(time.perf_counter() - start)
    return {
        name: dict(
            mean=1e3 * statistics.mean(times),
            p95=1e3 * float(np.percentile(times, 95)),
            cpu=1e3 * statistics.mean(cpu[name]),
        )
        for name, times in clock.items()
    }


def children_cpu() -> float:
    """CPU seconds, user and system, of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def time_loader(dataset: BaseDataset, batch_size: int, workers: int, samples: int) -> Figures:
    """Samples a second from `workers` processes, after each has given a batch, and their CPU."""
    warm_up = workers * batch_size
    samples = -(-samples // batch_size) * batch_size
    loader = Runner.build_dataloader(
        dict(
            batch_size=batch_size,
            num_workers=workers,
            sampler=RandomSampler(dataset, replacement=True, num_samples=warm_up + samples),
            dataset=dataset,
        ),
        seed=0,
    )
    cpu_start = children_cpu()
    batches = iter(loader)
    for _ in range(workers):
        next(batches)
    start = time.perf_counter()
    for _ in batches:
        pass
    seconds = time.perf_counter() - start
    del batches  # ends the workers
    cpu = children_cpu() - cpu_start
    return dict(samples_a_second=samples / seconds, cpu_ms_a_sample=1e3 * cpu / (warm_up + samples))


def main() -> None:
    args = parse_args()
    register_all_modules(init_default_scope=True)
    cfg = load_config(args.config, args.cfg_options)
    # as the runner does: workers are forked, and OpenCV keeps to one thread in each
    set_multi_processing(**cfg.env_cfg.mp_cfg)
    loader = cfg.train_dataloader
    dataset = DATASETS.build(loader.dataset)
    print(f'{len(dataset)} entries in {dataset.data_root}; batches of {loader.batch_size}')
    steps = time_steps(dataset, args.samples)
    total = sum(times['mean'] for times in steps.values())
    print(f'{"milliseconds a sample":28}{"mean":>8}{"p95":>8}{"CPU":>8}{"share":>8}')
    for name, times in steps.items():
        share = times['mean'] / total
        print(f'{name:28}{times["mean"]:8.2f}{times["p95"]:8.2f}{times["cpu"]:8.2f}{share:8.0%}')
    print(f'{"all":28}{total:8.2f}')
    loaders = {}
    for workers in args.workers:
        loaders[workers] = time_loader(dataset, loader.batch_size, workers, args.samples)
        print(
            f'{workers} workers: {loaders[workers]["samples_a_second"]:.1f} samples a second, '
            f'{loaders[workers]["cpu_ms_a_sample"]:.2f} ms of CPU each'
        )
    write(args.json, [dict(steps=steps, loaders=loaders, samples=args.samples)])


if __name__ == '__main__':
    main()
