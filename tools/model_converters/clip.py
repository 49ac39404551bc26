# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert the weights of CLIP's text model between transformers' keys and this project's.

    python tools/model_converters/clip.py THEIRS OURS.pth
    python tools/model_converters/clip.py OURS.pth THEIRS.safetensors --to-transformers 4.31

THEIRS is a folder as transformers saves it, or its file, of the text model or of all of CLIP. OURS
is for ``text_encoder.pretrained``; a whole segmentor's checkpoint is accepted as well. A key that
nothing explains is an error.
"""

import argparse
from pathlib import Path

from mmseg_remamber.checkpoints import weight_family, write_checkpoint
from mmseg_remamber.cli.convert import check_new, write_official
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.text.clip_weights import SPELLINGS, read_text_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('src', help='file, or folder of transformers')
    parser.add_argument('dst', help='file to write, .safetensors or else a torch file')
    parser.add_argument(
        '--to-transformers',
        choices=list(SPELLINGS),
        help='from our keys to those of transformers since this release',
    )
    args = parser.parse_args()
    check_new(args.dst)
    state = read_text_weights(args.src)
    width = state['model.final_layer_norm.weight'].numel()
    layers = len({key.split('.')[3] for key in state if key.startswith('model.encoder.layers.')})
    if args.to_transformers is None:
        write_checkpoint(args.dst, state, dict(converted_from=Path(args.src).name))
    else:
        state = weight_family('clip').to_official(state, spelling=args.to_transformers)
        write_official(args.dst, state, entry=None)
    print(f'{args.dst}: CLIP text model of {layers} layers, {width} wide')


if __name__ == '__main__':
    with errors_as_messages():
        main()
