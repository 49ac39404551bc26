# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The model of a command that names none: the one that the quickstart trained."""

from pathlib import Path

import mmseg_remamber
from mmseg_remamber.checkpoints import latest_checkpoint


def choose_model(model: str | None, checkpoint: str | None) -> tuple[str | None, str]:
    """Config and checkpoint of a command: what it was given, else the quickstart's checkpoint.

    Raises:
        FileNotFoundError: when nothing is given and the quickstart has not run.
        ValueError: when a model is given without its weights.
    """
    if model is not None and checkpoint is None:
        raise ValueError(
            f'--model {model} needs --checkpoint: the masks of untrained weights mean nothing'
        )
    return model, str(quickstart_checkpoint()) if checkpoint is None else checkpoint


def quickstart_checkpoint() -> Path:
    """The checkpoint that ``make quickstart`` left, here or in the checkout.

    Raises:
        FileNotFoundError: when there is none.
    """
    roots = (Path(), Path(mmseg_remamber.__file__).parents[1])
    for root in roots:
        if (checkpoint := latest_checkpoint(root / 'quickstart' / 'work')) is not None:
            return checkpoint
    raise FileNotFoundError(
        'no model given, and quickstart/work has none: give --checkpoint (and --model where the '
        'checkpoint carries no config), or run `make quickstart` first'
    )
