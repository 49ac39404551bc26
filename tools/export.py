# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Export a segmentor: model.onnx, model.pt2 (torch.export) and tokenizer.json in one folder.

    python tools/export.py CONFIG CHECKPOINT exported --check IMAGE

Batch, height and width are free. demo/onnx_client.py runs the result without torch. With --check
both files are loaded again and must give the model's own logits on the picture, at its own size
and two others and for two sentences at once, within 1e-3; the differences go to check.json.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mmseg_remamber.apis import init_model
from mmseg_remamber.apis.export import (
    client_metadata,
    expected_logits,
    export_program,
    save_onnx,
    save_tokenizer,
)
from mmseg_remamber.apis.pictures import load_picture
from mmseg_remamber.apis.query import Query
from mmseg_remamber.cli.arguments import add_model_arguments
from mmseg_remamber.cli.errors import errors_as_messages

FORMATS = ('onnx', 'pt2')
TOLERANCE = 1e-3
LONGEST_SIDE = 512  # of the picture in a check, which is to take seconds

Run = Callable[[np.ndarray, np.ndarray], np.ndarray]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    parser.add_argument('out', type=Path, help='folder to write')
    parser.add_argument('--formats', nargs='+', choices=FORMATS, default=FORMATS)
    parser.add_argument('--check', metavar='IMAGE', help='compare with the model on this picture')
    parser.add_argument(
        '--texts', nargs='+', default=['the red circle on the left', 'man'],
        help='sentences of the check',
    )  # fmt: skip
    return parser.parse_args()


def load(path: Path) -> Run:
    """(image, token ids) -> logits, of a file that was exported."""
    if path.suffix == '.onnx':
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        return lambda image, ids: session.run(None, dict(image=image, token_ids=ids))[0]
    network = torch.export.load(path).module()
    return lambda image, ids: (
        network(torch.from_numpy(image), torch.from_numpy(ids)).detach().numpy()
    )


def check(model: nn.Module, folder: Path, formats: list[str], image: str, texts: list[str]) -> dict:
    """Largest difference of logits of each format at each size."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
    token_ids = np.array([tokenizer.encode(text).ids for text in texts])
    own = load_picture(image, 1).image.shape[:2]
    shrink = min(1, LONGEST_SIDE / max(own))
    runs = {name: load(folder / f'model.{name}') for name in formats}
    rows = []
    sizes = [(round(own[1] * shrink), round(own[0] * shrink)), (160, 96), (93, 61)]
    for size in sizes:  # width, height
        picture = Query(model, img_size=size).picture(image)
        want = expected_logits(model, picture, texts)
        batch = np.stack([picture.rgb] * len(texts))
        differences = {
            name: float(np.abs(run(batch, token_ids) - want).max()) for name, run in runs.items()
        }
        rows.append(
            dict(size=list(size[::-1]), largest_logit=float(np.abs(want).max()), **differences)
        )
    passed = all(row[name] <= TOLERANCE for row in rows for name in formats)
    return dict(image=Path(image).name, texts=texts, tolerance=TOLERANCE, passed=passed, rows=rows)


def main() -> None:
    args = parse_args()
    if args.check and not Path(args.check).is_file():
        raise FileNotFoundError(f'--check: there is no file {args.check!r}')
    model = init_model(args.config, args.checkpoint, cfg_options=args.cfg_options)
    args.out.mkdir(parents=True, exist_ok=True)
    save_tokenizer(model, args.out / 'tokenizer.json')
    program = export_program(model)
    if 'pt2' in args.formats:
        torch.export.save(program, args.out / 'model.pt2')
    if 'onnx' in args.formats:
        save_onnx(program, args.out / 'model.onnx', client_metadata(model))
    for path in sorted(args.out.iterdir()):
        print(f'{path}  {path.stat().st_size / 1e6:.1f} MB')
    if args.check:
        report = check(model, args.out, list(args.formats), args.check, args.texts)
        (args.out / 'check.json').write_text(json.dumps(report, indent=2) + '\n')
        for row in report['rows']:
            print(json.dumps(row))
        if not report['passed']:
            sys.exit(f'logits differ by more than {TOLERANCE}: see {args.out / "check.json"}')
        print(f'exported models agree with PyTorch to {TOLERANCE}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
