# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Count the parameters of models, part by part: a Markdown table, one config a row.

    python tools/analysis_tools/count_parameters.py CONFIG [CONFIG ...]

The models are built without memory (torch's meta device) and without their weights.
"""

import argparse
from pathlib import Path

from mmengine.analysis import parameter_count

from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_on_meta

COLUMNS = ('config', 'total', 'text encoder', 'image stages', 'fusion', 'head')


def count(config: str) -> dict[str, int]:
    """Parameters of each part of a config's model, by column."""
    counts = parameter_count(build_on_meta(load_config(config)))
    fusion = counts['backbone.fusions']
    return {
        'total': counts[''],
        'text encoder': counts['text_encoder'],
        'image stages': counts['backbone'] - fusion,
        'fusion': fusion,
        'head': counts['decode_head'],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('configs', nargs='+', metavar='CONFIG')
    args = parser.parse_args()
    print(f'| {" | ".join(COLUMNS)} |')
    print(f'|---{"|---:" * (len(COLUMNS) - 1)}|')
    for config in args.configs:
        counts = count(config)
        cells = [f'`{Path(config).stem}`', *(f'{counts[name]:,}' for name in COLUMNS[1:])]
        print(f'| {" | ".join(cells)} |')


if __name__ == '__main__':
    main()
