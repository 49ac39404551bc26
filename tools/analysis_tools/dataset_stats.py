# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure a dataset: counts, lengths of sentences, cut sentences, sizes of masks, words.

Example:
    python tools/analysis_tools/dataset_stats.py data refcoco unc --out stats/refcoco

writes stats/refcoco.json and stats/refcoco.png; the sentences that are cut are listed in the
former.
"""

import argparse
import json
from pathlib import Path

from mmseg_remamber.cli.arguments import add_dataset_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.datasets.inspection import (
    SplitStatistics,
    find_refs_file,
    read_refs,
    reading_order,
    split_refs,
    split_statistics,
)
from mmseg_remamber.datasets.refer.reader import load_instances
from mmseg_remamber.visualization.statistics import draw_statistics


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_dataset_arguments(parser)
    parser.add_argument('--splits', nargs='+', help='default: all')
    parser.add_argument('--max-tokens', type=int, default=20, help='T, with start and end token')
    parser.add_argument('--tokenizer', help="folder of a transformers tokenizer; default: CLIP's")
    parser.add_argument('--out', type=Path, help='write OUT.json and OUT.png')
    return parser.parse_args()


def print_split(name: str, split: SplitStatistics) -> None:
    """Print a few lines for people."""
    figures = split.as_dict()
    words, tokens, masks = (
        figures[key] for key in ('words_per_sentence', 'tokens_per_sentence', 'mask_share')
    )
    print(
        f'{name}: {figures["refs"]} refs, {figures["sentences"]} sentences, '
        f'{figures["images"]} images, {figures["refs_without_target"]} refs without target'
    )
    for label, values in (('words', words), ('tokens', tokens)):
        print(
            f'  {label:7} mean {values["mean"]:.2f}, median {values["median"]:.0f}, '
            f'95 % up to {values["p95"]:.0f}, at most {values["max"]:.0f}'
        )
    print(
        f'  masks   mean {100 * masks["mean"]:.2f} % of the image, '
        f'median {100 * masks["median"]:.2f} %, from {100 * masks["min"]:.3f} %'
    )
    print(
        f'  cut     {len(split.truncated)} sentences ({100 * figures["truncation_rate"]:.3f} %) '
        f'have more than {split.max_tokens} tokens'
    )
    print(f'  words   {figures["distinct_words"]} different: ', end='')
    print(', '.join(word for word, _ in split.vocabulary.most_common(10)))


def main() -> None:
    args = parse_args()
    refs = read_refs(args.root, args.dataset, args.split_by)
    images, annotations = load_instances(args.root / args.dataset / 'instances.json')
    names = args.splits or sorted({ref['split'] for ref in refs}, key=reading_order)
    splits = {}
    for name in names:
        chosen = split_refs(refs, name)
        try:
            splits[name] = split_statistics(
                chosen,
                images,
                annotations,
                max_tokens=args.max_tokens,
                tokenizer=args.tokenizer,
            )
        except ValueError as e:
            path = find_refs_file(args.root / args.dataset, args.split_by)
            raise ValueError(f'{path}: {e}') from e
    for name, split in splits.items():
        print_split(name, split)
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        figures = {name: split.as_dict() for name, split in splits.items()}
        Path(f'{args.out}.json').write_text(json.dumps(figures, indent=2) + '\n')
        draw_statistics(splits, f'{args.out}.png', title=f'{args.dataset} ({args.split_by})')


if __name__ == '__main__':
    with errors_as_messages():
        main()
