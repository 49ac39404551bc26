# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks of sentences in pictures.

    python -m mmseg_remamber IMAGE 'the red circle on the left' ['the square' ...] --out OUT

Writes OUT/vis/NAME.png (picture, masks, sentences), OUT/pred/NAME_1.png (mask of the first
sentence) and OUT/results.json (all masks in COCO's format). Without a model it takes the one that
`make quickstart` trained. It says what the model was trained on, and warns of a picture that is of
another kind.
"""

import argparse
import sys
import warnings
from pathlib import Path

from mmseg_remamber.cli.errors import errors_as_messages


def parse_args(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m mmseg_remamber',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('image', help='image file or URL, or a folder of images')
    parser.add_argument('sentences', nargs='+', metavar='sentence', help='what to look for')
    parser.add_argument('--out', required=True, help='folder for pictures, masks and results.json')
    parser.add_argument('--model', help='config or its name; the one in the checkpoint by default')
    parser.add_argument('--checkpoint', help="weights, file or URL; the quickstart's by default")
    parser.add_argument('--device', help='cpu, cuda:0, ...; a GPU where there is one by default')
    parser.add_argument('--batch-size', type=int, default=8, help='sentences in a forward pass')
    parser.add_argument('--threshold', type=float, help="probability; the model's own by default")
    parser.add_argument(
        '--img-size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
        help="what pictures are resized to; the config's by default",
    )  # fmt: skip
    parser.add_argument(
        '--dtype', choices=['float32', 'bfloat16', 'float16'],
        help="what the model computes in; the config's by default",
    )  # fmt: skip
    parser.add_argument(
        '--compile', choices=['default', 'reduce-overhead', 'max-autotune'], metavar='MODE',
        help='compile the network by torch.compile, in one of its modes: %(choices)s',
    )  # fmt: skip
    parser.add_argument('--no-progress', action='store_true', help='draw no progress bar')
    return parser.parse_args(args)


def main(args: list[str] | None = None) -> int:
    """Exit status: 0, or 1 after saying on stderr with which pictures something is wrong.

    Raises:
        SystemExit: with a message, where no picture can be looked at.
    """
    options = parse_args(args)
    warnings.showwarning = _show_warning
    with errors_as_messages():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    # torch takes seconds to import, which --help and misspelt options need not wait for
    from mmseg_remamber.apis import RefSegInferencer
    from mmseg_remamber.apis.quickstart import choose_model
    from mmseg_remamber.apis.results import shorten
    from mmseg_remamber.datasets.origin import NOT_RECORDED

    model, checkpoint = choose_model(options.model, options.checkpoint)
    print(f'model: {checkpoint}', flush=True)
    inferencer = RefSegInferencer(
        model,
        checkpoint,
        device=options.device,
        img_size=options.img_size,
        dtype=options.dtype,
        compile=options.compile and dict(mode=options.compile),
        show_progress=not options.no_progress,
    )
    print(f'trained on: {inferencer.trained_on or NOT_RECORDED}', flush=True)
    found = inferencer(
        options.image,
        options.sentences,
        batch_size=options.batch_size,
        threshold=options.threshold,
        out_dir=options.out,
        keep_going=True,
    )
    predictions, failures = found['predictions'], found['failures']
    for masks in predictions:
        for item in masks:
            print(f'{shorten(item.caption, 100)} ({100 * item.mask.mean():.1f} % of the picture)')
    if any(predictions):
        print(f'pictures: {Path(options.out) / "vis"}')
    for failure in failures:
        print(f'error: {failure.error}', file=sys.stderr)
    if failures and len(predictions) > 1:
        read = len(predictions) - len(failures)
        print(f'{read} of {len(predictions)} pictures could be read', file=sys.stderr)
    return 1 if failures else 0


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f'warning: {message}', file=sys.stderr)


if __name__ == '__main__':
    sys.exit(main())
