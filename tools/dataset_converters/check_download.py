# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Check downloaded datasets: files, published counts, refs, images; "0 wrong" means that they load.

Example:
    python tools/dataset_converters/check_download.py data refcoco refcoco+ --split-by unc
    python tools/dataset_converters/check_download.py data refclef --images /photos/saiapr_tc-12

Refs and images are judged by the rules that training loads them by. WRONG is what it would refuse,
and what differs from what is published; refs that it leaves out, and images that EXIF would turn
(datasets are read as stored), are counted.

Exits with 1 when something is wrong. Nothing is moved or changed, but with --link-images, which
links the folder of --images into the data root where the configs look.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.datasets.inspection import PUBLISHED, Finding, check_download, published

MARKS = {True: 'ok', False: 'WRONG', None: '-'}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('root', type=Path, help='data root, with a folder for each dataset')
    parser.add_argument(
        'datasets', nargs='+', choices=sorted(PUBLISHED), metavar='dataset',
        help=f'one or more of {", ".join(sorted(PUBLISHED))}',
    )  # fmt: skip
    parser.add_argument(
        '--split-by', nargs='+', help='look for these alone; default: all that are published'
    )
    parser.add_argument(
        '--skip-counts', action='store_true', help='a subset: print its counts, compare nothing'
    )
    parser.add_argument('--images', type=Path, help='folder of the images; default: as the configs')
    images = parser.add_mutually_exclusive_group()
    images.add_argument('--skip-images', action='store_true', help='check annotations alone')
    images.add_argument(
        '--link-images', action='store_true', help='link --images to where the configs look'
    )
    parser.add_argument('--json', type=Path, help='write the findings to this file')
    args = parser.parse_args()
    if args.link_images and args.images is None:
        parser.error('--link-images needs --images')
    return args


def link_images(source: Path, root: Path, datasets: list[str]) -> None:
    """Link a folder to where the configs look for images.

    Raises:
        FileNotFoundError: No such folder.
        FileExistsError: Something else is there.
        ValueError: Datasets with different images.
    """
    places = {published(dataset).img_dir for dataset in datasets}
    if len(places) > 1:
        raise ValueError(f'{datasets} have different images: link them one at a time')
    if not source.is_dir():
        raise FileNotFoundError(f'no image folder {source}')
    target = root / places.pop()
    if target.exists() and target.samefile(source):
        return
    if target.exists() or target.is_symlink():
        raise FileExistsError(f'{target} exists')
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source.resolve(), target_is_directory=True)
    print(f'linked {target} -> {source.resolve()}')


def print_table(findings: list[Finding]) -> None:
    """Print a line for each finding, in columns."""
    rows = [('', 'what', 'check', 'found', 'published')]
    for item in findings:
        expected = '' if item.expected is None else str(item.expected)
        found = f'{item.found:.12}...' if item.check == 'sha256' else str(item.found)
        rows.append((MARKS[item.ok], item.subject, item.check, found, expected))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row, detail in zip(rows, ['', *(item.detail for item in findings)]):
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        print('  '.join([*cells, row[3].rjust(15), row[4].rjust(9), detail]).rstrip())


def main() -> None:
    args = parse_args()
    if args.link_images:
        link_images(args.images, args.root, args.datasets)
    findings = []
    for dataset in args.datasets:
        findings += check_download(
            args.root,
            dataset,
            split_by=args.split_by,
            img_dir=args.images,
            compare_counts=not args.skip_counts,
            read_images=not args.skip_images,
        )
    print_table(findings)
    wrong = [item for item in findings if item.ok is False]
    print(f'{len(findings)} checks, {len(wrong)} wrong')
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(item) for item in findings], indent=2) + '\n')
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    with errors_as_messages():
        main()
