# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Train every fusion design and Twister variant under one budget, and compare what they learn.

    python tools/dataset_converters/refshapes.py data/study --size 64 --max-objects 3 \\
        --train 6000 --val 120 --test 10 --testC 120
    python benchmarks/fusion_study.py run --data-root data/study --out study
    python benchmarks/fusion_study.py report --out study

`run` trains and evaluates each config of `configs/remamber/ablations/*mini*` and the published
once for each seed and writes a JSON file for each; runs whose file is there are not repeated. The
control asks for each sentence's object after the sentences of an image were permuted among its
objects: a model that reads them scores low. `report` makes the table and the curves of them.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

import torch

from mmseg_remamber.configuration import load_config

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = 'remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80'
DATA = 'RefShapes at 64 px with up to 3 objects a scene, 6000 scenes'  # as written above
SPLITS = ('val', 'testC', 'val_permuted')


def design_of(config: Path) -> str:
    """'remamber-conv_vmamba-mini_in-context_1xb48-...' -> 'in-context'."""
    return 'twister' if config.stem == PUBLISHED else config.stem.split('_')[2]


def configs() -> list[Path]:
    folder = ROOT / 'configs' / 'remamber'
    return [folder / f'{PUBLISHED}.py', *sorted((folder / 'ablations').glob('*vmamba-mini*.py'))]


def call(script: str, *arguments: str, threads: int, log: Path) -> None:
    environment = {
        **os.environ,
        'OMP_NUM_THREADS': str(threads),
        'PYTHONPATH': os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]),
    }
    with log.open('a') as output:
        subprocess.run(
            [sys.executable, str(ROOT / 'tools' / script), *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            check=True,
        )


def run_one(config: Path, seed: int, args: argparse.Namespace) -> None:
    """Train and evaluate one model; its figures go to OUT/<design>-<seed>.json."""
    name = f'{design_of(config)}-{seed}'
    result = args.out / f'{name}.json'
    if result.exists():
        print(f'{name}: {result} is there', flush=True)
        return
    work = args.out / name
    work.mkdir(parents=True, exist_ok=True)
    options = [
        f'randomness.seed={seed}',
        f'train_cfg.max_iters={args.iters}',
        f'train_cfg.val_interval={args.iters + 1}',
        f'param_scheduler.1.end={args.iters}',
        *(f'{mode}_dataloader.dataset.data_root={args.data_root}' for mode in ('train', 'val')),
        f'test_dataloader.dataset.data_root={args.data_root}',
    ]
    call_options = dict(threads=args.threads, log=work / 'output.log')
    start = time.monotonic()
    call('train.py', str(config), f'--work-dir={work}', '--cfg-options', *options, **call_options)
    seconds = time.monotonic() - start
    checkpoint = work / (work / 'last_checkpoint').read_text().strip()
    metrics = {}
    for split in SPLITS:
        chosen = [f'test_dataloader.dataset.split={split.removesuffix("_permuted")}']
        if split.endswith('_permuted'):
            chosen.append('test_dataloader.dataset.permute_sentences=0')
        file = work / f'{split}.json'
        arguments = [str(config), str(checkpoint), f'--work-dir={work}', f'--metrics-out={file}']
        call('test.py', *arguments, '--cfg-options', *options, *chosen, **call_options)
        metrics[split] = json.loads(file.read_text())
    scalars = sorted(work.glob('*/vis_data/scalars.json'))[0]
    steps = [json.loads(line) for line in scalars.read_text().splitlines()]
    figures = dict(
        design=design_of(config),
        config=str(config.relative_to(ROOT)),
        config_sha256=hashlib.sha256(load_config(str(config)).pretty_text.encode()).hexdigest(),
        seed=seed,
        iterations=args.iters,
        batch_size=load_config(str(config)).train_dataloader.batch_size,
        metrics=metrics,
        loss=[(step['step'], step['loss']) for step in steps if 'loss' in step],
        training_seconds=round(seconds),
        threads=args.threads,
        jobs=args.jobs,
        processor=platform.processor() or platform.machine(),
        torch=torch.__version__,
        date=time.strftime('%Y-%m-%d'),
    )
    result.write_text(json.dumps(figures, indent=1) + '\n')
    print(f'{name}: mIoU {metrics["val"]["mIoU"]:.1f} after {seconds:.0f} s', flush=True)


def run(args: argparse.Namespace) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(run_one, c, seed, args) for seed in args.seeds for c in configs()]
        for job in jobs:
            job.result()


def report(args: argparse.Namespace) -> None:
    """Write the table and, beside it, the loss curves."""
    runs = [json.loads(path.read_text()) for path in sorted(args.out.glob('*-[0-9]*.json'))]
    if not runs:
        raise FileNotFoundError(f'no results in {args.out}; `run` writes them')
    by_design: dict[str, list[dict]] = {}
    for figures in runs:
        by_design.setdefault(figures['design'], []).append(figures)
    order = sorted(
        by_design, key=lambda d: -mean(r['metrics']['val']['mIoU'] for r in by_design[d])
    )
    picture = args.markdown.parent / 'images' / 'fusion_study.png'
    draw_curves({design: by_design[design] for design in order}, picture)
    args.markdown.write_text(page(order, by_design, picture.relative_to(args.markdown.parent)))
    print(f'{args.markdown}, {picture}')


def page(order: list[str], by_design: dict[str, list[dict]], picture: Path) -> str:
    first = by_design[order[0]][0]
    lines = [
        '# What the fusion designs learn',
        '',
        'Written by `python benchmarks/fusion_study.py report --out docs/results` from a JSON '
        'file for each run.',
        '',
        f'{DATA}, {first["iterations"]} iterations of {first["batch_size"]} from random weights, '
        f'{first["jobs"]} runs at a time with {first["threads"]} thread each on '
        f'{first["processor"]}, torch {first["torch"]}, {first["date"]}. mIoU in percent, '
        'each seed and the mean; "unseen pairs" are colour-shape pairs that no training scene has; '
        '"permuted" is the control in which an image\'s sentences are permuted among its objects, '
        'where reading the sentence scores low. Minutes of training depend on what else the '
        'machine was doing.',
        '',
        '| design | seeds | mIoU | mean | oIoU | unseen pairs | permuted | minutes | config |',
        '|---|---|---|---|---|---|---|---|---|',
    ]
    for design in order:
        runs = sorted(by_design[design], key=lambda r: r['seed'])
        val = [r['metrics']['val'] for r in runs]

        def average(split, runs=runs):
            return mean(r['metrics'][split]['mIoU'] for r in runs)

        seeds = ', '.join(str(r['seed']) for r in runs)
        each = ', '.join(f'{v["mIoU"]:.1f}' for v in val)
        minutes = mean(r['training_seconds'] for r in runs) / 60
        lines.append(
            f'| {design} | {seeds} | {each} | {average("val"):.1f} '
            f'| {mean(v["oIoU"] for v in val):.1f} | {average("testC"):.1f} '
            f'| {average("val_permuted"):.1f} | {minutes:.1f} '
            f'| `{runs[0]["config_sha256"][:8]}` |'
        )
    lines += ['', f'![Training loss of each design, mean of the seeds]({picture})', '']
    return '\n'.join(lines)


def draw_curves(by_design: dict[str, list[dict]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use('Agg')
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), constrained_layout=True)
    styles = ('-', '--', ':')
    for index, (design, runs) in enumerate(by_design.items()):
        steps = [step for step, _ in runs[0]['loss']]
        losses = [mean(values) for values in zip(*([v for _, v in r['loss']] for r in runs))]
        axes.plot(steps, losses, styles[index // 5 % 3], color=f'C{index % 5}', label=design)
    axes.set_xlabel('iteration')
    axes.set_ylabel('training loss (Dice + cross-entropy)')
    axes.legend(title='best mIoU first', ncols=2)
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    runner = commands.add_parser('run', help='train and evaluate')
    runner.add_argument('--data-root', required=True, help='RefShapes, as written above')
    runner.add_argument('--seeds', type=int, nargs='+', default=[0, 1])
    runner.add_argument('--iters', type=int, default=1000)
    runner.add_argument('--jobs', type=int, default=2, help='runs at a time')
    runner.add_argument('--threads', type=int, default=1, help='of each run')
    runner.set_defaults(command=run)
    reporter = commands.add_parser('report', help='table and curves')
    reporter.add_argument('--markdown', type=Path, default=ROOT / 'docs' / 'fusion_study.md')
    reporter.set_defaults(command=report)
    for command in (runner, reporter):
        command.add_argument('--out', type=Path, default=Path('study'), help='folder of the runs')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = parse_args()
    arguments.command(arguments)
