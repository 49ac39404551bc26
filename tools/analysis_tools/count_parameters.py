# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Count the parameters of models, part by part: a Markdown table, one config a row.

    python tools/analysis_tools/count_parameters.py CONFIG [CONFIG ...]

The models are built without memory (torch's meta device) and without their weights.
"""

import argparse
from pathlib import Path

from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models import StagewiseFusion
from mmseg_remamber.models.build import build_on_meta


def count(config: str) -> dict[str, int]:
    """Parameters of each part of a config's model: of its modules, a staged backbone by its own."""
    parts = {}
    for name, part in build_on_meta(load_config(config)).named_children():
        if isinstance(part, StagewiseFusion):
            parts |= {f'{name}.{own}': child for own, child in part.named_children()}
        else:
            parts[name] = part
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    return {'total': sum(counts.values())} | {name: n for name, n in counts.items() if n}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('configs', nargs='+', metavar='CONFIG')
    args = parser.parse_args()
    counts = {config: count(config) for config in args.configs}
    columns = list(dict.fromkeys(name for found in counts.values() for name in found))
    print(f'| {" | ".join(["config", *columns])} |')
    print(f'|---{"|---:" * len(columns)}|')
    for config, found in counts.items():
        cells = (f'{found[name]:,}' if name in found else '-' for name in columns)
        print(f'| `{Path(config).stem}` | {" | ".join(cells)} |')


if __name__ == '__main__':
    with errors_as_messages():
        main()
