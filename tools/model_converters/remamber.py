# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert a ReMamber checkpoint between the authors' keys and this project's.

    python tools/model_converters/remamber.py THEIRS.pth OURS.pth [--ema]
    python tools/model_converters/remamber.py OURS.pth THEIRS.pth --to-official [--spelling 5.0]

The head is recognised from the keys; a key that nothing explains is an error.
"""

from mmseg_remamber.checkpoints import weight_family
from mmseg_remamber.cli.convert import conversion_parser, convert_file
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.models.remamber.weights import head_of
from mmseg_remamber.text.clip_weights import SPELLINGS


def main() -> None:
    parser = conversion_parser(__doc__.splitlines()[0])
    parser.add_argument(
        '--spelling',
        choices=list(SPELLINGS),
        default='4.31',
        help="with --to-official: the text model's keys as transformers names them since (4.31)",
    )
    args = parser.parse_args()
    converted = convert_file(args, weight_family('remamber'), dict(spelling=args.spelling))
    head = head_of(converted)
    print(f'{args.dst}: ReMamber with the {head} head; its configs are remamber-{head}_*')


if __name__ == '__main__':
    with errors_as_messages():
        main()
