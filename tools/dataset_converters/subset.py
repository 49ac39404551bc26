# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Take a subset of a dataset: some refs, the records they need and, if asked, their images.

Example:
    python tools/dataset_converters/subset.py data refcoco unc small --num-images 100 --copy-images
    python tools/dataset_converters/subset.py data refcoco unc small --ref-ids 12 34 56

What is chosen depends on --seed and the ids, not on the order of the refs.
"""

import argparse
import json
import shutil
from pathlib import Path

from mmseg_remamber.cli.arguments import add_dataset_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.datasets.inspection import (
    PUBLISHED,
    choose_refs,
    find_refs_file,
    read_instances,
    read_refs,
    reduce_instances,
)
from mmseg_remamber.datasets.refer.checker import find_image
from mmseg_remamber.datasets.refer.reader import save_refs


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_dataset_arguments(parser)
    parser.add_argument('out', type=Path, help='data root to write to')
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument('--num-images', type=int, help='images of each split, with all their refs')
    choice.add_argument('--num-refs', type=int, help='refs of each split')
    choice.add_argument('--ref-ids', type=int, nargs='+', help='these refs')
    parser.add_argument('--splits', nargs='+', help='take from these splits alone')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--img-dir', help='images, below both roots; default: as the configs have the dataset'
    )
    images = parser.add_mutually_exclusive_group()
    images.add_argument('--copy-images', action='store_true')
    images.add_argument('--link-images', action='store_true', help='symbolic links')
    return parser.parse_args()


def bring_images(files: list[str], source: Path, target: Path, link: bool) -> None:
    """Copy or link images.

    Raises:
        FileNotFoundError: An image is missing.
    """
    for file in files:
        if not (source / file).is_file():
            raise FileNotFoundError(f'no image {source / file}')
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        if link:
            (target / file).symlink_to((source / file).resolve())
        else:
            shutil.copy2(source / file, target / file)


def main() -> None:
    args = parse_args()
    folder = args.out / args.dataset
    if folder.exists():
        raise FileExistsError(f'{folder} exists')
    refs = choose_refs(
        read_refs(args.root, args.dataset, args.split_by),
        ref_ids=args.ref_ids,
        num_refs=args.num_refs,
        num_images=args.num_images,
        splits=args.splits,
        seed=args.seed,
    )
    instances = reduce_instances(read_instances(args.root / args.dataset), refs)
    if args.copy_images or args.link_images:
        if args.img_dir is None and args.dataset not in PUBLISHED:
            raise ValueError(f'--img-dir is needed: {args.dataset!r} is not a published dataset')
        img_dir = args.img_dir or PUBLISHED[args.dataset].img_dir
        images = {image['id']: image for image in instances['images']}
        files = [find_image(images, image_id)['file_name'] for image_id in images]
        bring_images(files, args.root / img_dir, args.out / img_dir, args.link_images)
    folder.mkdir(parents=True)
    (folder / 'instances.json').write_text(json.dumps(instances), encoding='utf-8')
    save_refs(refs, folder / find_refs_file(args.root / args.dataset, args.split_by).name)
    for split in sorted({ref['split'] for ref in refs}):
        here = [ref for ref in refs if ref['split'] == split]
        num_sentences = sum(len(ref['sentences']) for ref in here)
        num_images = len({ref['image_id'] for ref in here})
        print(f'{split}: {len(here)} refs, {num_sentences} sentences, {num_images} images')


if __name__ == '__main__':
    with errors_as_messages():
        main()
