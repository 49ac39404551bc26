# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Reading a config with command-line overrides."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from .overrides import Typed

#: Entries of a config from which something is built: mmengine's runner and this project read them.
#: Every other is a variable, which the config has used by the time that it is read.
BUILT = frozenset(
    (
        *('model', 'work_dir', 'train_dataloader', 'val_dataloader', 'test_dataloader'),
        *('train_cfg', 'val_cfg', 'test_cfg', 'optim_wrapper', 'param_scheduler', 'auto_scale_lr'),
        *(
            'val_evaluator',
            'test_evaluator',
            'default_hooks',
            'custom_hooks',
            'load_from',
            'resume',
        ),
        *('launcher', 'env_cfg', 'log_processor', 'log_level', 'visualizer', 'default_scope'),
        *('randomness', 'experiment_name', 'runner_type', 'custom_imports', 'sync_bn', 'compile'),
        *('model_wrapper_cfg', 'find_unused_parameters'),
    )
)
_PIPELINES = dict(train_pipeline='train', val_pipeline='val', test_pipeline='test')


def load_config(config: str | Path | Config, cfg_options: dict | None = None) -> Config:
    """Read a config and merge overrides into it.

    Args:
        config: path, or a config already read, which is copied.
        cfg_options: dotted keys and their values, as ``--cfg-options`` gives them. A new last part
            is allowed, as it may name an option that the config leaves at its default; what leads
            to it must exist.

    Raises:
        FileNotFoundError: when there is no such file.
        KeyError: for an override whose parent is not in the config, or of a variable that the
            config has used already; names the keys that would have an effect.
        ImportError: for a module that the file wants and that cannot be imported.
        OSError: for a base of the file that cannot be read, or a name that ends like no config's.
        ValueError: for a file that ends in an error of its own, which is named, for a pipeline in
            it that no dataset has, or a value that is no literal.
        TypeError: when ``config`` is neither a path nor a Config.
    """
    if isinstance(config, (str, Path)):
        if not Path(config).is_file():
            raise FileNotFoundError(f'config {str(config)!r} does not exist')
        cfg = _run_file(str(config))
        _check_pipelines(cfg, str(config))
    elif isinstance(config, Config):
        cfg = config.copy()
    else:
        raise TypeError(f'config must be a path or a Config, got {type(config).__name__}')
    overrides = {}
    for key, value in (cfg_options or {}).items():
        current = _current_value(cfg, key)
        _check_reaches(cfg, key, current)
        try:
            overrides[key] = value.resolve(current) if isinstance(value, Typed) else value
        except ValueError as error:
            raise ValueError(f'--cfg-options {key}: {error}') from error
    if overrides:
        cfg.merge_from_dict(overrides)
    return cfg


def _run_file(path: str) -> Config:
    """Run a config; whatever it ends in is an error of the file."""
    try:
        return Config.fromfile(path)
    except (ImportError, OSError):  # these say what is missing
        raise
    except Exception as error:  # a program may raise anything
        # the text of a KeyError is the key alone
        said = f'no key {error}' if isinstance(error, KeyError) else error
        raise ValueError(f'config {path!r} cannot be read: {said}') from error


def compile_options(compile: bool | dict | None) -> dict | None:
    """Options of ``torch.compile`` that a config or a caller asks for; None is no compiling.

    Args:
        compile: False or None, True for torch's defaults, or a dict of options.

    Raises:
        TypeError: for anything else.
    """
    if compile is None or isinstance(compile, bool):
        return {} if compile else None
    if not isinstance(compile, dict):
        raise TypeError(
            f'compile must be True, False or a dict of options of torch.compile, got {compile!r}'
        )
    return compile


def _current_value(cfg: Config, key: str) -> Any:
    """What a dotted key has now; None where its last part is new."""
    node, path = cfg._cfg_dict, key.split('.')
    for depth, part in enumerate(path):
        is_leaf = depth == len(path) - 1
        if isinstance(node, (list, tuple)):
            known = [str(i) for i in range(len(node))]
        elif isinstance(node, (dict, ConfigDict)):
            known = list(node)
        else:
            known = []
        if part not in known:
            close = difflib.get_close_matches(part, known, n=3)
            is_option = depth > 0 and isinstance(node, dict) and not close
            if is_leaf and (is_option or (depth == 0 and part in BUILT)):
                return None
            where = '.'.join(path[:depth]) or 'the config'
            hint = f'; did you mean {" or ".join(close)}?' if close else f'; it has {known}'
            raise KeyError(f'--cfg-options {key}: {where} has no {part!r}{hint}')
        node = node[int(part)] if isinstance(node, (list, tuple)) else node[part]
    return node


def _check_reaches(cfg: Config, key: str, current: Any) -> None:
    """Refuse an override of a variable, which nothing would read any more."""
    variable, name = key.split('.')[0], key.split('.')[-1]
    # a config of something else than a run has no such entries
    if variable in BUILT or not BUILT & set(cfg):
        return
    values = [value for value in (current, cfg[variable]) if value is not None]
    names = {name, 'scale'} if name == 'img_size' else {name}
    if variable in _PIPELINES:
        names.add('pipeline')
    places = [
        place
        for part in BUILT & set(cfg)
        for place, value in _walk(cfg[part], part)
        if place.rpartition('.')[2] in names and value in values
    ]
    what = f'set {", ".join(sorted(places))} instead' if places else 'no entry has its value'
    raise KeyError(
        f'--cfg-options {key}: nothing is built from {variable!r}, which the config has used '
        f'already; {what}'
    )


def _without_scopes(value: Any) -> Any:
    """A value without the marks that mmengine gives to what comes from a toolbox's own base."""
    if isinstance(value, dict):
        return {k: _without_scopes(v) for k, v in value.items() if k != '_scope_'}
    if isinstance(value, (list, tuple)):
        return [_without_scopes(v) for v in value]
    return value


def _check_pipelines(cfg: Config, path: str) -> None:
    """Refuse a pipeline that the file defines and hands to no dataset."""
    built = _without_scopes({part: cfg[part] for part in BUILT & set(cfg)})
    for variable, mode in _PIPELINES.items():
        if variable not in cfg or f'{mode}_dataloader' not in cfg:
            continue
        wanted = _without_scopes(cfg[variable])
        if not any(value == wanted for _, value in _walk(built, '')):
            raise ValueError(
                f'config {path!r} defines {variable}, which no dataset has: write '
                f'{mode}_dataloader = dict(dataset=dict(pipeline={variable})) after it'
            )


def _walk(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every entry below a node, with its dotted key."""
    if isinstance(node, dict):
        children = node.items()
    elif isinstance(node, (list, tuple)):
        children = ((str(i), child) for i, child in enumerate(node))
    else:
        return
    for name, child in children:
        key = f'{place}.{name}' if place else str(name)
        yield key, child
        yield from _walk(child, key)
