# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert a LAVT checkpoint between the authors' keys and this project's.

    python tools/model_converters/lavt.py THEIRS.pth OURS.pth
    python tools/model_converters/lavt.py OURS.pth THEIRS.pth --to-official [--layout lavt]

Both of the authors' layouts are read: `lavt_one`, BERT in the model, and `lavt`, BERT beside it. A
key that nothing explains is an error.
"""

from mmseg_remamber.checkpoints import weight_family
from mmseg_remamber.cli.convert import conversion_parser, convert_file
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.models.lavt.weights import LAYOUTS


def main() -> None:
    parser = conversion_parser(__doc__.splitlines()[0])
    parser.add_argument(
        '--layout',
        choices=list(LAYOUTS),
        default='lavt_one',
        help='with --to-official: BERT in the model (lavt_one) or beside it (lavt)',
    )
    args = parser.parse_args()
    convert_file(args, weight_family('lavt'), dict(layout=args.layout))
    print(f'{args.dst}: LAVT; its configs are lavt_* and lavt-one_*')


if __name__ == '__main__':
    with errors_as_messages():
        main()
