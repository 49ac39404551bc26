# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Another checkout of this project against this one, alternating in one run.

    git worktree add ../old COMMIT
    python benchmarks/against.py ../old --pairs 4

Each checkout runs in a process of its own, which waits while the other computes; pairs of processes
follow each other, since two of the same code differ by up to 5 percent. Times are
inference of the base models and a training iteration of the mini model, on random weights and
noise; `--memory` measures the peak of the resident set beyond the built model instead. Printed are
the medians of both, and the median over the rounds of old over new: above 1 the new one is faster,
or takes less.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASE = 'configs/remamber/remamber-{}_vmamba-b_8xb8-50e_refcoco-480x480.py'
MINI = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
CASES = {
    'conv head, float32': (BASE.format('conv'), 'float32'),
    'conv head, bfloat16': (BASE.format('conv'), 'bfloat16'),
    'Mamba head, float32': (BASE.format('mamba'), 'float32'),
    'Mamba head, bfloat16': (BASE.format('mamba'), 'bfloat16'),
    'mini model, training iteration': (MINI, 'training'),
}


def work(config: str, kind: str, size: int) -> None:
    """Runs once for each line read, and answers with seconds and peak memory in bytes."""
    import time

    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    cfg = Config.fromfile(config)
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    run = training(model) if kind == 'training' else inference(model, kind, size)
    before = resident_set('VmRSS')
    print('ready', flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        print(json.dumps([seconds, resident_set('VmHWM') - before]), flush=True)


def inference(model, dtype: str, size: int):
    """The logits of one picture and sentence."""
    import torch

    from mmseg_remamber.models.precision import autocast, keep_weights

    model.eval()
    keep_weights(model, dtype)
    ids = torch.full((1, 20), 7)
    ids[0, -1] = 49407
    inputs = torch.randn(1, 3, size, size), ids, torch.ones_like(ids, dtype=torch.bool)

    @torch.no_grad()
    def run() -> None:
        with autocast(dtype, 'cpu'):
            model.logits(*inputs)

    return run


def training(model):
    """A step of AdamW on 16 pictures of 80 x 80 pixels."""
    import torch
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    img, samples = torch.randn(16, 3, 80, 80), []
    for _ in range(16):
        ids = torch.full((20,), 49407)
        ids[:8] = torch.randint(49000, (8,))
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=torch.randint(2, (1, 80, 80)))
        sample.set_data(dict(token_ids=ids, token_mask=torch.arange(20) < 9))
        samples.append(sample)

    def run() -> None:
        losses = model(img, samples, mode='loss')
        sum(losses.values()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return run


def resident_set(entry: str) -> int:
    """VmRSS, what this process holds, or VmHWM, its peak, in bytes."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{entry}:'):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f'/proc/self/status has no {entry}')


class Worker:
    """The process of a checkout."""

    def __init__(self, checkout: Path, config: str, kind: str, size: int):
        command = [sys.executable, __file__, '--work', str(checkout / config), kind, str(size)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ, PYTHONPATH=str(checkout)),
        )
        while (line := self.process.stdout.readline()) and line != 'ready\n':
            pass
        if not line:
            raise RuntimeError(f'{checkout} could not be run: see above')

    def run(self) -> tuple[float, int]:
        """Seconds of a run, and the peak so far."""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return tuple(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def compare(args: argparse.Namespace, case: str) -> list[list[float]]:
    """Figures of old and new, round by round, from a pair of new processes."""
    checkouts = (args.old.resolve(), ROOT)
    workers = [Worker(checkout, *CASES[case], args.size) for checkout in checkouts]
    figures = []
    for number in range(args.rounds + 1):
        order = workers if number % 2 else workers[::-1]
        found = {worker: worker.run()[args.memory] for worker in order}
        if number or args.memory:  # the first is a warm-up
            figures.append([found[worker] for worker in workers])
    for worker in workers:
        worker.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('old', type=Path, help='the other checkout')
    parser.add_argument('--cases', nargs='+', choices=list(CASES), default=list(CASES))
    parser.add_argument('--size', type=int, default=480, help='side of the pictures of inference')
    parser.add_argument('--rounds', type=int, default=4, help='of each pair of processes')
    # where a process has its memory alone makes up to 5 percent
    parser.add_argument('--pairs', type=int, default=4, help='of processes')
    parser.add_argument('--memory', action='store_true', help='compare peak memory')
    args = parser.parse_args()
    print(f'load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores')
    for case in args.cases:
        figures = []
        for _ in range(args.pairs):
            figures += compare(args, case)
        old, new = (statistics.median(column) for column in zip(*figures, strict=True))
        ratio = statistics.median(a / b for a, b in figures)
        unit, scale = ('MB', 1e-6) if args.memory else ('s', 1)
        print(
            f'{case:32} {scale * old:8.3f} {scale * new:8.3f} {unit}  old / new {ratio:.3f}',
            flush=True,
        )


if __name__ == '__main__':
    if sys.argv[1:2] == ['--work']:
        work(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
