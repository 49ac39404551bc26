# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files: read as data only, written, and compared with a model."""

import errno
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier, get_rank
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .placeholders import PLACEHOLDERS


def read_checkpoint(path: str | Path, map_location: str | torch.device = 'cpu') -> dict[str, Any]:
    """Read a checkpoint without running anything in it (``weights_only=True``).

    Args:
        path: a torch or ``.safetensors`` file, or the http(s) address of a torch file, which is
            downloaded once into torch's hub folder.
        map_location: the device that the tensors go to.

    Returns:
        The dict in the file, without the values of foreign classes; mmengine's histories and
        numpy's scalars, which a resumed run needs, are kept. For ``.safetensors``, ``state_dict``
        and ``meta`` as :func:`write_checkpoint` takes them.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for a file that is no checkpoint, or holds objects of unknown classes.
    """
    path = str(path)
    is_remote = path.startswith(('http://', 'https://'))
    if not is_remote and not Path(path).is_file():
        raise FileNotFoundError(f'checkpoint {path!r} does not exist')
    if path.endswith('.safetensors') and not is_remote:
        return _read_safetensors(path, map_location)
    try:
        with torch.serialization.safe_globals(PLACEHOLDERS):
            checkpoint = (_download if is_remote else _load)(path, map_location)
    except Exception as error:  # bytes that are no pickle may raise anything
        if _is_not_of_the_file(error):
            raise
        found = re.search(r'GLOBAL (\S+) w', str(error))
        raise ValueError(
            f'checkpoint {path!r} holds a {found[1]}, which is no weight and could run code'
            if found
            else f'checkpoint {path!r} is no torch file, or a damaged one'
        ) from error
    if not isinstance(checkpoint, Mapping):
        raise ValueError(f'checkpoint {path!r} holds a {type(checkpoint).__name__}, not a dict')
    return dict(checkpoint)


def write_checkpoint(path: str | Path, state: Mapping[str, Tensor], meta: Mapping) -> None:
    """Write weights and what is known of them, as ``state_dict`` and ``meta``.

    The same content gives the same bytes under any name. A ``.safetensors`` file has ``meta`` as
    JSON in its metadata, under that name.

    Raises:
        OSError: when the file cannot be written.
    """
    # clones: a tensor may be a part of a larger one, or share it with another
    state = {key: value.detach().cpu().clone().contiguous() for key, value in state.items()}
    if Path(path).suffix == '.safetensors':
        # one entry: safetensors writes several in an order that changes from run to run
        save_safetensors(path, state, {'meta': json.dumps(dict(meta))})
    else:
        with open(path, 'wb') as file:  # given a path, torch would write its name into the file
            torch.save(dict(state_dict=state, meta=dict(meta)), file)


def save_safetensors(path: str | Path, state: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write contiguous tensors that share nothing, and entries of text.

    Raises:
        OSError: when the file cannot be written.
    """
    try:
        save_file(state, path, metadata=metadata)
    except SafetensorError as error:
        raise OSError(f'{str(path)!r} cannot be written: {error}') from error


def latest_checkpoint(work_dir: str | Path) -> Path | None:
    """The checkpoint that a run left last, from the file ``last_checkpoint`` of its work dir.

    That file has a path, of which the name counts: the work dir may have been copied or moved.

    Returns:
        Its path; None when the work dir records none.

    Raises:
        FileNotFoundError: when the recorded checkpoint is neither in the work dir nor, where
            checkpoints are written elsewhere, at the recorded path.
    """
    record = Path(work_dir) / 'last_checkpoint'
    if not record.is_file():
        return None
    recorded = Path(record.read_text(encoding='utf-8').strip())
    for path in (Path(work_dir) / recorded.name, recorded):
        if path.exists():
            return path
    raise FileNotFoundError(
        f'{record} names {recorded.name!r}, which is neither in {str(work_dir)!r} nor at {recorded}'
    )


def weights_file(path: str | Path) -> Path:
    """The file of weights in a folder as transformers saves a model; of a file itself.

    Raises:
        FileNotFoundError: for a folder without one.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    names = ('model.safetensors', 'pytorch_model.bin')
    files = [path / name for name in names if (path / name).is_file()]
    if not files:
        raise FileNotFoundError(f'{str(path)!r} has neither of {names}')
    return files[0]


def weights_of(checkpoint: Mapping[str, Any], *, ema: bool = False) -> dict[str, Tensor]:
    """The weights in a checkpoint's dict: under ``model`` or ``state_dict``, or all of it.

    Prefixes ``module.`` of wrapped models are taken off.

    Args:
        checkpoint: what :func:`read_checkpoint` returns.
        ema: the averaged weights of the published programs, under ``model_ema``.

    Raises:
        ValueError: when there are none, naming what the checkpoint has.
    """
    entries = ('model_ema',) if ema else ('model', 'state_dict')
    states = [checkpoint[name] for name in entries if isinstance(checkpoint.get(name), Mapping)]
    if not states and not ema:
        states = [checkpoint]
    state = states[0] if states else {}
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(
            f'expected weights under {" or ".join(map(repr, entries))}, '
            f'found the entries {sorted(map(str, checkpoint))[:8]}'
        )
    return {key.removeprefix('module.'): value for key, value in state.items()}


def differences(model: Mapping[str, Tensor], file: Mapping[str, Tensor], *, limit: int = 4) -> str:
    """Where a file's keys and shapes are not those of a model: '' or up to three lines.

    Each line names the first key of a part of the model and counts the others.

    Args:
        model: state dict of the model. Batch counts of its norms may be absent in the file.
        file: state dict of the file.
        limit: parts named on a line.
    """
    missing = [k for k in model if k not in file and not k.endswith('.num_batches_tracked')]
    unexpected = [key for key in file if key not in model]
    reshaped = {
        key: f'{key} is {tuple(file[key].shape)}, the model has {tuple(model[key].shape)}'
        for key in model
        if key in file and model[key].shape != file[key].shape
    }
    lines = (
        ('missing in the file', {key: key for key in missing}),
        ('unknown to the model', {key: key for key in unexpected}),
        ('of another shape', reshaped),
    )
    return '\n'.join(
        f'{len(names)} {title}: {_by_part(names, limit)}' for title, names in lines if names
    )


def _by_part(names: Mapping[str, str], limit: int) -> str:
    parts: dict[str, list[str]] = {}
    for key, text in names.items():
        parts.setdefault('.'.join(key.split('.')[:2]), []).append(text)
    shown = [
        texts[0] + (f' (and {len(texts) - 1} more in {part})' if len(texts) > 1 else '')
        for part, texts in parts.items()
    ]
    more = [f'{len(shown) - limit} more parts'] if len(shown) > limit else []
    return ', '.join(shown[:limit] + more)


def _load(path: str, map_location: str | torch.device) -> Any:
    return torch.load(path, map_location=map_location, weights_only=True)


def _is_not_of_the_file(error: Exception) -> bool:
    """Whether reading ended for a reason that the file's content could not help."""
    if isinstance(error, OSError):
        # a damaged archive sends torch to a place that no file has
        return error.errno != errno.EINVAL
    # of a device that is not there, or a memory too small
    said = ('PytorchStreamReader', 'legacy .tar format')
    return isinstance(error, RuntimeError) and not any(text in str(error) for text in said)


def _download(url: str, map_location: str | torch.device) -> Any:
    """The first process downloads, the others wait and read its file."""
    if get_rank() > 0:
        barrier()
    loaded = torch.hub.load_state_dict_from_url(url, map_location=map_location, weights_only=True)
    if get_rank() == 0:
        barrier()
    return loaded


def _read_safetensors(path: str, map_location: str | torch.device) -> dict[str, Any]:
    try:
        with safe_open(path, 'pt') as file:
            state = {
                key: file.get_tensor(key).to(map_location)
                for key in file.keys()  # noqa: SIM118  no mapping
            }
            entries = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f'checkpoint {path!r} is no safetensors file, or a damaged one') from error
    return dict(state_dict=state, meta=json.loads(entries.get('meta', '{}')))
