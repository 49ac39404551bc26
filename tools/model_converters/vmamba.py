# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert a VMamba checkpoint between the published keys and those of the toolboxes.

    python tools/model_converters/vmamba.py THEIRS.pth OURS.pth [--ema]
    python tools/model_converters/vmamba.py OURS.pth THEIRS.pth --to-official

Classifiers become mmpretrain's, detectors mmdet's and segmentors mmseg's, from the spelling of any
release. The result initialises a backbone too (``init_cfg``), as does the published file itself. A
key of a classifier or a backbone that nothing explains is an error.
"""

import torch
from torch import Tensor

from mmseg_remamber.checkpoints import differences, weight_family
from mmseg_remamber.cli.convert import conversion_parser, convert_file
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.vmamba import ARCHS, VMamba


def variant_of(state: dict[str, Tensor]) -> str | None:
    """The published variant with the shapes of weights below ``backbone.``, if any."""
    state = {k.removeprefix('backbone.'): v for k, v in state.items() if k.startswith('backbone.')}
    state = {key: value for key, value in state.items() if not key.startswith('out_norms.')}
    for arch in ARCHS:
        with torch.device('meta'):
            model = VMamba(arch, out_indices=())
        if not differences(model.state_dict(), state):
            return arch
    return None


def main() -> None:
    args = conversion_parser(__doc__.splitlines()[0]).parse_args()
    family = weight_family('vmamba')
    state = convert_file(args, family)
    arch = variant_of(family.from_official(state) if family.is_official(state) else state)
    print(f'{args.dst}: VMamba, {f"arch={arch!r}" if arch else "none of the published variants"}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
