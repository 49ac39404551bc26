# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Speed, memory and operations against resolution (ReMamber, Fig. 8).

    python tools/analysis_tools/benchmark.py CONFIG [CONFIG ...] --sizes 64 128 256 --out cost.json
    python tools/analysis_tools/plot_cost.py cost.json [MORE.json ...] --out cost.png

The numbers behind the picture are those of the JSON files.
"""

import argparse
import json
import sys
from pathlib import Path

from mmseg_remamber.visualization.curves import draw_costs

KEYS = ('latency_ms', 'peak_memory_mb', 'flops')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('files', nargs='+', type=Path, help='JSON of benchmark.py')
    parser.add_argument('--out', type=Path, default=Path('cost.png'))
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    costs: dict[str, dict[str, list]] = {}
    settings = set()
    for file in args.files:
        report = json.loads(file.read_text())
        machine = report['machine']
        setting = f'{machine["device"]}, threads: {machine["threads"]}, torch {machine["torch"]}'
        settings.add(setting + (', half precision' if report['amp'] else ''))
        for result in report['results']:
            side = result['size'][0]
            curves = costs.setdefault(result['config'], {key: [] for key in KEYS})
            curves['latency_ms'].append((side, result['latency_ms']))
            curves['peak_memory_mb'].append((side, result['peak_memory_mb']))
            curves['flops'].append((side, result['flops'] / 1e9))
    if len(settings) > 1:
        sys.exit(f'files of one machine and setting can be compared, got {sorted(settings)}')
    batches = sorted({r['batch'] for f in args.files for r in json.loads(f.read_text())['results']})
    title = f'{settings.pop()}; batch of {", ".join(map(str, batches))}'
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_costs(costs, KEYS, args.out, title=title)
    print(f'{args.out}: {len(costs)} models')


if __name__ == '__main__':
    main()
