# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""``init_cfg = dict(type='Pretrained', ...)`` of a backbone, whose file is loaded strictly."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from .files import read_checkpoint, weights_of


class PretrainedFile(NamedTuple):
    """Weights of a file.

    Attributes:
        checkpoint: file path or URL, as :func:`read_checkpoint` takes it.
        prefix: take the keys that begin with it, without it, as of a whole model; None takes all.
        ema: take the averaged weights, which published programs keep beside the last ones.
    """

    checkpoint: str
    prefix: str | None = None
    ema: bool = False

    def read(self) -> dict[str, Tensor]:
        """The weights.

        Raises:
            FileNotFoundError: when there is no such file.
            ValueError: when no key begins with the prefix, or there are no averaged weights.
        """
        state = weights_of(read_checkpoint(self.checkpoint), ema=self.ema)
        if self.prefix is None:
            return state
        start = self.prefix
        found = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
        if not found:
            raise ValueError(
                f'{self.checkpoint} has no key that begins with {start!r}; its keys begin '
                f'{sorted({key.split(".")[0] for key in state})}'
            )
        return found


def pretrained_file(init_cfg: Mapping | Sequence[Mapping] | None) -> PretrainedFile | None:
    """The file of which weights are asked for.

    Args:
        init_cfg: as mmengine takes it, one config or several.

    Returns:
        None where no config is of type 'Pretrained'.

    Raises:
        ValueError: for others beside it, no ``checkpoint``, or options that
            :class:`PretrainedFile` does not have.
    """
    several = isinstance(init_cfg, Sequence)
    configs: list[Mapping] = list(init_cfg) if several else [init_cfg or {}]  # type: ignore[arg-type,list-item]
    if 'Pretrained' not in [cfg.get('type') for cfg in configs]:
        return None
    if several:
        raise ValueError(
            f"init_cfg must not have others beside type 'Pretrained', got {init_cfg!r}"
        )
    options = {key: value for key, value in configs[0].items() if key != 'type'}
    if options.get('checkpoint') is None or set(options) - set(PretrainedFile._fields):
        raise ValueError(
            f'init_cfg takes checkpoint, which must be given, prefix and ema, got {init_cfg!r}'
        )
    return PretrainedFile(**options)
