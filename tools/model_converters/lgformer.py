# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert an LGFormer checkpoint between the authors' keys and this project's.

    python tools/model_converters/lgformer.py THEIRS.pth OURS.pth
    python tools/model_converters/lgformer.py OURS.pth THEIRS.pth --to-official

A key that nothing explains is an error.
"""

from mmseg_remamber.checkpoints import weight_family
from mmseg_remamber.cli.convert import conversion_parser, convert_file
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.models import lgformer  # noqa: F401  registers the family


def main() -> None:
    args = conversion_parser(__doc__.splitlines()[0]).parse_args()
    convert_file(args, weight_family('lgformer'))
    print(f'{args.dst}: LGFormer; its configs are lgformer_*')


if __name__ == '__main__':
    with errors_as_messages():
        main()
