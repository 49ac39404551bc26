# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Reading a config with command-line overrides."""

import difflib
from pathlib import Path

from mmengine.config import Config, ConfigDict


def load_config(config: str | Path | Config, cfg_options: dict | None = None) -> Config:
    """Read a config and merge overrides into it.

    Args:
        config: path, or a config already read, which is copied.
        cfg_options: dotted keys and their values, as ``--cfg-options`` gives them. A new last part
            is allowed, as it may name an option that the config leaves at its default; what leads
            to it must exist.

    Raises:
        FileNotFoundError: when there is no such file.
        KeyError: for an override whose parent is not in the config.
        TypeError: when ``config`` is neither a path nor a Config.
    """
    if isinstance(config, (str, Path)):
        if not Path(config).is_file():
            raise FileNotFoundError(f'config {str(config)!r} does not exist')
        cfg = Config.fromfile(str(config))
    elif isinstance(config, Config):
        cfg = config.copy()
    else:
        raise TypeError(f'config must be a path or a Config, got {type(config).__name__}')
    if cfg_options:
        for key in cfg_options:
            _check_parent(cfg, key)
        cfg.merge_from_dict(cfg_options)
    return cfg


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


def _check_parent(cfg: Config, key: str) -> None:
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
            if is_leaf and depth > 0 and isinstance(node, dict) and not close:
                return
            where = '.'.join(path[:depth]) or 'the config'
            hint = f'; did you mean {" or ".join(close)}?' if close else f'; it has {known}'
            raise KeyError(f'--cfg-options {key}: {where} has no {part!r}{hint}')
        node = node[int(part)] if isinstance(node, (list, tuple)) else node[part]
