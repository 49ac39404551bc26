# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws speed, memory and operations against resolution (ReMamber, Fig. 8).

    python tools/analysis_tools/benchmark.py CONFIG [CONFIG ...] --sizes 64 128 256 --out cost.json
    python tools/analysis_tools/plot_cost.py cost.json [MORE.json ...] --out cost.png

The numbers behind the picture are those of the JSON files. A file of benchmarks/end_to_end.py may
have several batch sizes, modes and types, of which the options choose; --log makes both axes
logarithmic, where a power of the number of pixels is a straight line.
"""

import argparse
import json
import sys
from pathlib import Path

from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.visualization.curves import draw_costs

KEYS = ('latency_ms', 'peak_memory_mb', 'flops')
MACHINE = ('device', 'threads', 'torch')
SETTING = ('batch', 'mode', 'dtype')
FIGURES = ('config', 'size', *KEYS)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('files', nargs='+', type=Path, help='of benchmark.py or end_to_end.py')
    parser.add_argument('--batch-size', type=int)
    parser.add_argument('--mode', choices=('inference', 'training'))
    parser.add_argument('--dtype', choices=('float32', 'bfloat16', 'float16'))
    parser.add_argument('--log', action='store_true', help='logarithmic axes')
    parser.add_argument('--out', type=Path, default=Path('cost.png'))
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    wanted = dict(batch=args.batch_size, mode=args.mode, dtype=args.dtype)
    costs: dict[str, dict[str, list]] = {}
    settings = set()
    for file in args.files:
        report = read_report(file)
        for result in report['results']:
            unwanted = any(value not in (None, result[key]) for key, value in wanted.items())
            if unwanted or 'failed' in result:
                continue
            settings.add(describe(report['machine'], result))
            side = result['size'][0]
            curves = costs.setdefault(result['config'], {key: [] for key in KEYS})
            curves['latency_ms'].append((side, result['latency_ms']))
            curves['peak_memory_mb'].append((side, result['peak_memory_mb']))
            curves['flops'].append((side, result['flops'] / 1e9))
    if len(settings) != 1:
        sys.exit(
            'results of one machine and setting can be compared; choose by --batch-size, --mode '
            f'and --dtype of {sorted(settings)}'
        )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_costs(costs, KEYS, args.out, title=settings.pop(), log=args.log)
    print(f'{args.out}: {len(costs)} models')


def read_report(file: Path) -> dict:
    """Read a report.

    Raises:
        OSError: It cannot be read.
        ValueError: It is none; says what it lacks.
    """
    try:
        report = json.loads(file.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{file} is no report of a benchmark: {error}') from error
    if not isinstance(report, dict) or not isinstance(report.get('results'), list):
        raise ValueError(f"{file} is no report of a benchmark: it has no list 'results'")
    fields = {
        'machine': (report.get('machine'), MACHINE),
        **{
            f'result {number}': (result, (*SETTING, *(() if 'failed' in result else FIGURES)))
            for number, result in enumerate(report['results'])
        },
    }
    for name, (record, wanted) in fields.items():
        lacking = [key for key in wanted if not isinstance(record, dict) or key not in record]
        if lacking:
            raise ValueError(f'{file} is no report of a benchmark: {name} lacks {lacking}')
    return report


def describe(machine: dict, result: dict) -> str:
    """Describe what must be the same for two results to share a figure."""
    return (
        f'{machine["device"]}, threads: {machine["threads"]}, torch {machine["torch"]}; '
        f'{result["mode"]}, {result["dtype"]}, batch of {result["batch"]}'
    )


if __name__ == '__main__':
    with errors_as_messages():
        main()
