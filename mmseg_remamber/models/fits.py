# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint is, when it is not of the model that should load it."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from mmengine.config import Config
from torch import Tensor, nn

from mmseg_remamber.checkpoints import differences, recognise
from mmseg_remamber.configuration.names import config_folder, named_configs

from .build import build_on_meta


def check_fits(model: nn.Module, state: Mapping[str, Tensor], path: str) -> None:
    """Refuse weights of another model.

    Args:
        model: the model that would load them.
        state: the weights.
        path: where they come from.

    Raises:
        ValueError: when keys or shapes differ, naming the first and the config that fits.
    """
    if mismatch := differences(model.state_dict(), state):
        raise ValueError(
            f'checkpoint {path!r} is of another model than the config; {_identify(state)}\n'
            f'{mismatch}'
        )


def likely_configs(state: Mapping[str, Tensor]) -> tuple[list[str], float]:
    """This project's configs whose models are most like the weights.

    Options that leave no trace in keys or shapes (the order of two scans, say) cannot be told
    apart: more than one model may fit.

    Returns:
        Patterns of paths from the folder that holds ``configs``, and the share of keys with their
        shapes, of those in the file or the model, that both have: 1 for a model that fits. ([], 0)
        where there are no configs.
    """
    found = _signature(state)
    scores = {
        path: len(found & known) / len(found | known)
        for path, known in _config_signatures().items()
    }
    best = max(scores.values(), default=0)
    return [path for path, score in scores.items() if score == best > 0], best


def _signature(state: Mapping[str, Tensor]) -> frozenset:
    return frozenset((key, tuple(value.shape)) for key, value in state.items())


@lru_cache(maxsize=1)
def _config_signatures() -> dict[str, frozenset]:
    """Keys and shapes of each model, by the pattern of its configs' paths."""
    try:
        folder = config_folder()
    except FileNotFoundError:
        return {}
    models: dict[str, Path] = {}
    for path in named_configs().values():
        model = path.stem.rsplit('_', 2)[0]  # then come the schedule and the data
        pattern = path.relative_to(folder.parent).with_name(f'{model}_*.py').as_posix()
        models.setdefault(pattern, path)
    found = {}
    for pattern, path in models.items():
        try:
            cfg = Config.fromfile(path)
        except ModuleNotFoundError:  # of a toolbox that is not installed, which made no file here
            continue
        if cfg.get('default_scope') == 'mmseg':
            found[pattern] = _signature(build_on_meta(cfg).state_dict())
    return found


def _identify(state: Mapping[str, Tensor]) -> str:
    if family := recognise(state):
        return f'it is {family.advice}'
    configs, score = likely_configs(state)
    if not configs:
        return 'no config of this project is like it'
    names = ' or '.join(configs)
    return f'it fits {names}' if score == 1 else f'{score:.0%} of it is as in {names}'
