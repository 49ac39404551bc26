# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Operations and parameters of a config's model, module by module, the scan included.

    python tools/analysis_tools/get_flops.py CONFIG [--size 480 480] [--depth 2] [--out flops.json]
    python tools/analysis_tools/get_flops.py CONFIG --size 224 224 --published prefix-sum

One image and sentence. A multiply-add is two operations. Nothing is computed and no weight is
loaded, so that the base model takes seconds. With --published the one figure of VMamba's tables, by
their rules beside ours, for the configs in configs/vmamba; detection at --size 1280 800.
"""

import argparse
import json
from pathlib import Path

import torch
from mmengine.analysis import parameter_count

from mmseg_remamber.analysis.cost import count_flops, count_pass
from mmseg_remamber.analysis.published_flops import (
    SCAN_RULES,
    count_published_flops,
    published_pass,
)
from mmseg_remamber.cli.arguments import add_config_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_on_meta

SCAN = 'selective_scan.'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument('--size', type=int, nargs=2, default=(480, 480), metavar=('H', 'W'))
    parser.add_argument('--depth', type=int, default=2, help='levels of modules to print')
    parser.add_argument(
        '--published', choices=sorted(SCAN_RULES), help="count by the rules of VMamba's tables"
    )
    parser.add_argument('--out', type=Path, help='JSON of all modules and operators to write')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    if args.published:
        model = build_on_meta(cfg).eval()
        img = torch.empty(1, 3, *args.size, device='meta')
        flops = count_published_flops(model, published_pass(model), img, scan=args.published)
        own = count_pass(published_pass(model), img)
        print(f'{flops / 1e9:.9f} GFLOPs at {args.size[0]} x {args.size[1]}, a multiply-add once')
        print(f'{own / 1e9:.3f} GFLOP by our own rules, a multiply-add twice')
        return
    flops = count_flops(cfg, tuple(args.size))
    parameters = parameter_count(build_on_meta(cfg))
    rows = []
    for name, count in parameters.items():
        operators = flops.get(name, {})
        if count or operators:
            scan = sum(v for key, v in operators.items() if key.startswith(SCAN))
            rows.append(
                dict(module=name, parameters=count, flops=sum(operators.values()), scan_flops=scan)
            )
    print(f'{"module":32}{"parameters":>14}{"GFLOP":>10}{"of that scan":>14}')
    for row in rows:
        levels = row['module'].count('.') + bool(row['module'])
        if levels <= args.depth:
            print(
                f'{row["module"] or "all":32}{row["parameters"]:14,}'
                f'{row["flops"] / 1e9:10.3f}{row["scan_flops"] / 1e9:14.3f}'
            )
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        report = dict(
            config=Path(args.config).name,
            size=list(args.size),
            convention='a multiply-add is two operations',
            operators=flops[''],
            modules=rows,
        )
        args.out.write_text(json.dumps(report, indent=2) + '\n')


if __name__ == '__main__':
    with errors_as_messages():
        main()
