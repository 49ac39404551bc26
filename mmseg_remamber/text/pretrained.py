# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How text encoders on a model of transformers take pretrained weights."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mmseg_remamber.checkpoints import (
    convert_keys,
    differences,
    prefix,
    read_checkpoint,
    weights_file,
    weights_of,
)

from .features import TextEncoder

_OWN = 'model.'
_OWN_SEGMENTOR = f'text_encoder.{_OWN}'


class PretrainedTextEncoder(TextEncoder):
    """A text encoder on a model of transformers.

    Attributes:
        model: the model.
        pretrained: local folder or hub name, or a file with weights in our keys or transformers';
            None begins at random.
        SIZES: names in the model's config that must be equal for weights to mean the same.
    """

    SIZES: ClassVar[tuple[str, ...]] = (
        'hidden_size',
        'num_hidden_layers',
        'num_attention_heads',
        'intermediate_size',
        'vocab_size',
        'max_position_embeddings',
        'hidden_act',
    )
    model: Any  # transformers 4 and 5 have other classes for CLIP's
    pretrained: str | None

    def init_weights(self) -> None:
        """Read ``pretrained``'s weights, if any.

        Raises:
            ValueError: when the pretrained model has other sizes.
        """
        source = self.pretrained
        if source is None:
            return
        if Path(source).is_file():
            state = self.read_file(source)
            if mismatch := differences(self.state_dict(), state):
                raise ValueError(f'{source} does not fit this text encoder:\n{mismatch}')
            self.load_state_dict(state)
            return
        loaded = self.fetch(source, local=Path(source).is_dir())
        own, theirs = self.model.config, loaded.config
        for name in self.SIZES:
            if getattr(own, name) != getattr(theirs, name):
                raise ValueError(
                    f'{name} of {source} is {getattr(theirs, name)}, '
                    f'but the config has {getattr(own, name)}'
                )
        self.model.load_state_dict(loaded.state_dict())

    @staticmethod
    @abstractmethod
    def read_file(path: str) -> dict[str, Tensor]:
        """The weights of a file, in the keys of this encoder."""

    @staticmethod
    @abstractmethod
    def fetch(source: str, *, local: bool) -> Any:
        """A model of the kind of :attr:`model`, from a folder (``local``) or the hub."""


def read_weights(
    path: str | Path,
    tensors: Sequence[str],
    from_transformers: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
) -> dict[str, Tensor]:
    """Read a text model in the keys of our encoder.

    Args:
        path: a file in our keys, of the encoder alone or of a whole segmentor; a file in
            transformers' keys; or a folder with the latter, as transformers saves it.
        tensors: key templates of the model.
        from_transformers: transformers' keys -> ours.

    Raises:
        FileNotFoundError: when there is no such file, or none with weights in the folder.
        ValueError: for a key that nothing explains.
    """
    state = weights_of(read_checkpoint(weights_file(path)))
    if any(key.startswith(_OWN_SEGMENTOR) for key in state):
        start = _OWN_SEGMENTOR.removesuffix(_OWN)
        state = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
    if any(key.startswith(_OWN) for key in state):
        return convert_keys(state, prefix(((name, name) for name in tensors), _OWN, _OWN))
    return from_transformers(state)


def check_position_ids(key: str, ids: Tensor) -> None:
    """Position ids that older releases save count from 0.

    Raises:
        ValueError: for others.
    """
    if not torch.equal(ids, torch.arange(ids.numel())[None]):
        raise ValueError(f'{key} must be 0, 1, 2, ..., got {ids.tolist()}')
