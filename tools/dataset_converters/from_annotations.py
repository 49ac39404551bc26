# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Make a dataset of your own pictures, and the config that trains on it.

Objects come from an annotation tool: COCO's JSON, LabelMe, CVAT, or masks as PNG files. Sentences
come from a table (CSV or JSON lines) with the columns picture, object, sentence and, if you like,
split; or they are the names of categories.

Example:
    python tools/dataset_converters/from_annotations.py data/kitchen --pictures photos \\
        --labelme photos --sentences sentences.csv --checkpoint quickstart/work/iter_1200.pth

Writes OUT/images, OUT/<name of OUT>/instances.json and refs(own).json, OUT/finetune.py (the config)
and OUT/report.txt (what is printed). docs/own_pictures.md explains each step.

Exits with 1, and writes nothing, where anything cannot be used; all of that is listed. --skip-bad
writes the dataset without it.
"""

import argparse
import shlex
import sys
from pathlib import Path

from mmseg_remamber.cli.errors import errors_as_messages

DEFAULT_BASE = 'remamber-conv_vmamba-mini_1xb48-1200i_refcoco-192x192'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=Path, help="folder to write; its name is the dataset's")
    parser.add_argument('--pictures', type=Path, required=True, help='folder of the pictures')
    objects = parser.add_mutually_exclusive_group(required=True)
    objects.add_argument('--coco', type=Path, metavar='FILE', help="JSON in COCO's format")
    objects.add_argument('--labelme', type=Path, metavar='FOLDER', help="LabelMe's JSON files")
    objects.add_argument(
        '--cvat', type=Path, metavar='FILE',
        help='annotations.xml of an export as "CVAT for images 1.1"',
    )  # fmt: skip
    objects.add_argument(
        '--mask-files', type=Path, metavar='FOLDER', help='PNG masks, one object a file'
    )
    objects.add_argument(
        '--mask-values', type=Path, metavar='FOLDER',
        help='PNG masks, one a picture, one value an object',
    )  # fmt: skip
    said = parser.add_mutually_exclusive_group(required=True)
    said.add_argument('--sentences', type=Path, metavar='TABLE', help='.csv, .tsv or .jsonl')
    said.add_argument(
        '--sentences-from-labels', action='store_true',
        help='the name of its category is the sentence of each object that is alone of it',
    )  # fmt: skip
    parser.add_argument('--delimiter', help='of CSV; found by itself among , ; and tab')
    parser.add_argument('--encoding', help='of the table; UTF-8, or UTF-16 with its mark')
    parser.add_argument(
        '--background', type=int, nargs='+', default=[0], metavar='VALUE',
        help='values of --mask-values that are no object; default: 0',
    )  # fmt: skip
    parser.add_argument(
        '--exif', choices=('turned', 'stored'), default='turned',
        help='whether the tool showed pictures turned by their EXIF tag, as nearly all do',
    )  # fmt: skip
    parser.add_argument('--val', type=float, default=0.2, help='share of pictures to validate on')
    parser.add_argument('--test', type=float, default=0.0, help='share of pictures to test on')
    parser.add_argument('--seed', type=int, default=0, help='of the draw of splits')
    parser.add_argument('--link', action='store_true', help='link pictures, copy none')
    parser.add_argument(
        '--skip-bad', action='store_true', help='write the dataset without what is bad'
    )
    parser.add_argument(
        '--about', default='', metavar='TEXT', help='what the pictures are, which checkpoints say'
    )
    config = parser.add_argument_group('the config')
    config.add_argument(
        '--base', default=DEFAULT_BASE, metavar='CONFIG',
        help='config to inherit, path or name; default: %(default)s',
    )  # fmt: skip
    config.add_argument(
        '--checkpoint', metavar='FILE', help='weights to start from, of a model of the base config'
    )
    config.add_argument('--batch-size', type=int, default=8, help='default: 8')
    config.add_argument(
        '--iterations', type=int, help='default: each object 40 times, 200 to 5000 in all'
    )
    return parser.parse_args()


def convert(args: argparse.Namespace) -> tuple[str, int]:
    """-> what there is to say, and the exit status"""
    # takes seconds to import, which --help and misspelt options need not wait for
    from mmseg_remamber.datasets.annotations import (
        FORMATS,
        Annotations,
        FineTuning,
        Shares,
        Table,
        convert_annotations,
    )

    paths = {name: getattr(args, name.replace('-', '_')) for name in FORMATS}
    name, path = next((name, path) for name, path in paths.items() if path is not None)
    done = convert_annotations(
        args.out,
        args.pictures,
        Annotations(name, path, args.background, args.exif),
        Table(args.sentences, args.delimiter, args.encoding) if args.sentences else None,
        FineTuning(args.base, args.checkpoint, args.batch_size, args.iterations),
        shares=Shares(args.val, args.test, args.seed),
        about=args.about,
        link=args.link,
        skip_bad=args.skip_bad,
    )
    problems = done.report.problems
    lines = [f'bad: {problem}' for problem in problems]
    lines += [f'note: {note}' for note in done.report.notes]
    lines += done.account
    if done.counts is None:
        hint = '' if args.skip_bad else '. Mend them, or leave them out by --skip-bad'
        lines.append(f'{len(problems)} bad: nothing was written{hint}')
        return '\n'.join(lines), 1
    for split, count in sorted(done.counts.items(), key=lambda item: item[0]):
        lines.append(f'{split}: ' + ', '.join(f'{number} {of}' for of, number in count.items()))
    if problems:
        lines.append(f'{len(problems)} bad, left out')
    lines.append(f'{args.out}: written, read again as training reads it, and equal')
    text = '\n'.join(lines)
    (args.out / 'report.txt').write_text(text + '\n', encoding='utf-8')
    return f'{text}\n\n{next_commands(args.out, done.iterations)}', 0


def next_commands(out: Path, iterations: int) -> str:
    """What to run next."""
    config = shlex.quote(str(out / 'finetune.py'))
    checkpoint = shlex.quote(str(out / 'work' / f'iter_{iterations}.pth'))
    return (
        f'Train ({iterations} iterations):\n'
        f'  python tools/train.py {config}\n'
        'Then ask for something in a picture:\n'
        f"  python -m mmseg_remamber PICTURE 'SENTENCE' --checkpoint {checkpoint} --out out"
    )


def main() -> int:
    """Exit status: 0, or 1 where something is bad and nothing was written."""
    text, status = convert(parse_args())
    print(text)
    return status


if __name__ == '__main__':
    with errors_as_messages():
        sys.exit(main())
