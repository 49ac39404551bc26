# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Write a dataset as mmdet, mmsegmentation and mmpretrain read it, from its REFER layout.

Example:
    python tools/dataset_converters/toolboxes.py data/refshapes refshapes synthetic data/shapes \\
        --img-dir images

writes, for each split, images/, instances_<split>.json (COCO's format), semantic/ (a PNG of classes
for each image) and cutouts/ (a folder of pictures for each class), and classes.txt, a class a line.
The classes are those that the training split has objects of. The images of a split are those that
its refs are about, with all their objects.
"""

import argparse
import shutil
from pathlib import Path

from mmseg_remamber.cli.arguments import add_dataset_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.datasets.inspection import read_instances, read_refs
from mmseg_remamber.datasets.toolboxes import categories_of, write_split


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_dataset_arguments(parser)
    parser.add_argument('out', type=Path, help='folder to write to')
    parser.add_argument('--img-dir', type=Path, required=True, help='images, below the data root')
    parser.add_argument('--splits', nargs='+', default=['train', 'val'])
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if 'train' not in args.splits:
        raise ValueError(f'--splits must have train, which gives the classes, got {args.splits}')
    if args.out.exists():
        raise FileExistsError(f'{args.out} exists')
    refs = read_refs(args.root, args.dataset, args.split_by)
    ids = {
        split: {ref['image_id'] for ref in refs if ref['split'] == split} for split in args.splits
    }
    if absent := [split for split, images in ids.items() if not images]:
        present = sorted({ref['split'] for ref in refs})
        raise ValueError(f'--splits must be of {present}, got {absent}')
    instances = read_instances(args.root / args.dataset)
    categories = categories_of(instances, ids['train'])
    # no folder that looks whole is left behind where an image turns out to be missing
    unfinished = args.out.with_name(f'{args.out.name}.unfinished')
    shutil.rmtree(unfinished, ignore_errors=True)
    for split, images in ids.items():
        written = write_split(
            instances, images, categories, args.root / args.img_dir, unfinished, split
        )
        print(
            f'{split}: {written.images} images, {written.objects} objects, '
            f'{written.cutouts} cut-outs'
        )
    names = [record['name'] for record in categories]
    (unfinished / 'classes.txt').write_text('\n'.join(names) + '\n', encoding='utf-8')
    unfinished.rename(args.out)
    print(f'{len(names)} classes: {", ".join(names)}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
