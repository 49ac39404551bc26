# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Write RefShapes, a synthetic referring segmentation dataset in the REFER layout.

Example:
    python tools/dataset_converters/refshapes.py data/refshapes --train 4000 --val 500
"""

import argparse

from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.datasets.refshapes import write_refshapes


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', help='folder to write to')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--size', type=int, default=128, help='image side in pixels')
    parser.add_argument('--train', type=int, default=4000, help='scenes to train on')
    parser.add_argument('--val', type=int, default=500)
    parser.add_argument('--test', type=int, default=500)
    parser.add_argument(
        '--testC', type=int, default=500, help='scenes of unseen colour-shape combinations'
    )
    parser.add_argument(
        '--max-objects', type=int, default=6, help='most objects in a scene; fewer is easier'
    )
    return parser.parse_args()


def main():
    args = parse_args()
    sizes = {split: getattr(args, split) for split in ('train', 'val', 'test', 'testC')}
    counts = write_refshapes(
        args.out, sizes, size=args.size, seed=args.seed, max_objects=args.max_objects
    )
    for split, count in counts.items():
        print(split, ', '.join(f'{number} {name}' for name, number in count.items()))


if __name__ == '__main__':
    with errors_as_messages():
        main()
