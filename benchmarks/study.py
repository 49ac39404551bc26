# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Train several small models under one budget, and compare what they learn.

    python tools/dataset_converters/refshapes.py data/study --size 80 --max-objects 4 \\
        --train 6000 --val 300 --test 10 --testC 300
    python benchmarks/study.py run CONFIG [CONFIG ...] --data-root data/study --out results/mine
    python benchmarks/study.py report results/mine PAGE.md

`run` trains and evaluates each config once for each seed and writes a JSON file for each; runs
whose file is there are not repeated. The control asks for each sentence's object after the
sentences of an image were permuted among its objects: a model that reads them scores low. `report`
puts the table and the curves of them into a page, between the lines

    <!-- benchmarks/study.py report results/mine -->
    <!-- end of the report -->
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
from mmseg_remamber.configuration.names import find_config

ROOT = Path(__file__).resolve().parents[1]
SPLITS = ('val', 'testC', 'val_permuted')
SEEN_ON_THE_WAY = 400  # sentences of val
END = '<!-- end of the report -->'


def name_of(config: Path) -> str:
    """The config's name without schedule, data and size."""
    return config.stem.rsplit('_', 2)[0]


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
    """Train and evaluate one model; its figures go to OUT/<model>-<seed>.json."""
    name = f'{name_of(config)}-{seed}'
    result = args.out / f'{name}.json'
    if result.exists():
        print(f'{name}: {result} is there', flush=True)
        return
    work = args.work / name
    work.mkdir(parents=True, exist_ok=True)
    options = [
        f'randomness.seed={seed}',
        f'train_cfg.max_iters={args.iters}',
        f'train_cfg.val_interval={-(-args.iters // args.evaluations)}',
        f'val_dataloader.dataset.indices={SEEN_ON_THE_WAY}',
        f'param_scheduler.1.end={args.iters}',
        *(
            f'{mode}_dataloader.dataset.data_root={args.data_root}'
            for mode in ('train', 'val', 'test')
        ),
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
        model=name_of(config),
        config=str(config.relative_to(ROOT)),
        config_sha256=hashlib.sha256(load_config(str(config)).pretty_text.encode()).hexdigest(),
        seed=seed,
        iterations=args.iters,
        batch_size=load_config(str(config)).train_dataloader.batch_size,
        metrics=metrics,
        curve=dict(
            what=f'mIoU on {SEEN_ON_THE_WAY} sentences of val',
            points=[(step['step'], step['mIoU']) for step in steps if 'mIoU' in step],
        ),
        data=args.data,
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
    configs = [Path(c).resolve() if c.endswith('.py') else find_config(c) for c in args.configs]
    with ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(run_one, c, seed, args) for seed in args.seeds for c in configs]
        for job in jobs:
            job.result()


def report(args: argparse.Namespace) -> None:
    """Put the table into the page, and the curves beside it."""
    runs = [json.loads(path.read_text()) for path in sorted(args.out.glob('*-[0-9]*.json'))]
    if not runs:
        raise FileNotFoundError(f'no results in {args.out}; `run` writes them')
    begin = f'<!-- benchmarks/study.py report {args.out} -->'
    page = args.page.read_text()
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f'{args.page} must have the lines {begin!r} and {END!r}')
    by_model: dict[str, list[dict]] = {}
    for figures in runs:
        by_model.setdefault(figures['model'], []).append(figures)
    order = sorted(by_model, key=lambda m: -mean(r['metrics']['val']['mIoU'] for r in by_model[m]))
    picture = args.page.parent / 'images' / f'study-{args.out.name}.png'
    draw_curves({model: by_model[model] for model in order}, picture)
    text = table(order, by_model, picture.relative_to(args.page.parent).as_posix())
    args.page.write_text(f'{before}{begin}\n{text}\n{END}{after}')
    print(f'{args.page}, {picture}')


def table(order: list[str], by_model: dict[str, list[dict]], picture: str) -> str:
    """The setting, a row a model, and the picture, as Markdown."""
    first = by_model[order[0]][0]
    lines = [
        '',
        f'{first["data"]}, {first["iterations"]} iterations of {first["batch_size"]} from random '
        f'weights, {first["jobs"]} runs at a time with {first["threads"]} thread each on '
        f'{first["processor"]}, torch {first["torch"]}, {first["date"]}. mIoU in percent, '
        'each seed and the mean; "unseen pairs" are colour-shape pairs that no training scene has; '
        '"permuted" is the control in which an image\'s sentences are permuted among its objects, '
        'where reading the sentence scores low. Minutes depend on what else the machine was doing.',
        '',
        '| model | seeds | mIoU | mean | oIoU | unseen pairs | permuted | minutes | config |',
        '|---|---|---|---|---|---|---|---|---|',
    ]
    for model in order:
        runs = sorted(by_model[model], key=lambda r: r['seed'])
        val = [r['metrics']['val'] for r in runs]

        def average(split, runs=runs):
            return mean(r['metrics'][split]['mIoU'] for r in runs)

        seeds = ', '.join(str(r['seed']) for r in runs)
        each = ', '.join(f'{v["mIoU"]:.1f}' for v in val)
        lines.append(
            f'| {model} | {seeds} | {each} | {average("val"):.1f} '
            f'| {mean(v["oIoU"] for v in val):.1f} | {average("testC"):.1f} '
            f'| {average("val_permuted"):.1f} '
            f'| {mean(r["training_seconds"] for r in runs) / 60:.1f} '
            f'| `{runs[0]["config_sha256"][:8]}` |'
        )
    what = first['curve']['what']
    return '\n'.join([*lines, '', f'![{what}, mean of the seeds]({picture})', ''])


def draw_curves(by_model: dict[str, list[dict]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use('Agg')
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), constrained_layout=True)
    styles = ('-', '--', ':')
    for index, (model, runs) in enumerate(by_model.items()):
        curves = [r['curve']['points'] for r in runs]
        steps = [step for step, _ in curves[0]]
        values = [mean(v for _, v in points) for points in zip(*curves, strict=True)]
        axes.plot(steps, values, styles[index // 5 % 3], color=f'C{index % 5}', label=model)
        axes.set_ylabel(runs[0]['curve']['what'])
    axes.set_xlabel('iteration')
    axes.legend(title='best mIoU first', ncols=2)
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    runner = commands.add_parser('run', help='train and evaluate')
    runner.add_argument('configs', nargs='+', metavar='CONFIG', help='files or names')
    runner.add_argument('--data-root', required=True, help='RefShapes, as written above')
    runner.add_argument(
        '--data', default='RefShapes at 80 px with up to 4 objects a scene, 6000 scenes',
        help='what it is, in words for the page',
    )  # fmt: skip
    runner.add_argument('--seeds', type=int, nargs='+', default=[0, 1])
    runner.add_argument('--iters', type=int, default=1000)
    runner.add_argument('--evaluations', type=int, default=5, help='for the curves')
    runner.add_argument('--jobs', type=int, default=2, help='runs at a time')
    runner.add_argument('--threads', type=int, default=1, help='of each run')
    runner.add_argument('--out', type=Path, required=True, help='folder of the JSON files')
    runner.add_argument('--work', type=Path, default=Path('work_dirs/study'))
    runner.set_defaults(command=run)
    reporter = commands.add_parser('report', help='table and curves')
    reporter.add_argument('out', type=Path, metavar='FOLDER', help='of the JSON files')
    reporter.add_argument('page', type=Path, metavar='PAGE.md')
    reporter.set_defaults(command=report)
    return parser.parse_args()


if __name__ == '__main__':
    arguments = parse_args()
    arguments.command(arguments)
