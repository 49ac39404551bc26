# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Make a checkpoint ready to publish: weights and their config, nothing else.

    python tools/misc/publish_model.py CHECKPOINT OUT_DIR/NAME [--config CONFIG] [--no-ema]

Writes ``NAME-<first 8 hex digits of the file's SHA-256>.pth`` and the same as ``.safetensors``.
Both hold the weights and ``meta``: config, dataset metainfo, epoch and iteration, and which weights
they are. Both are read without running code, and ``init_model(checkpoint=...)`` builds from either.

A run with averaged weights (EMA) saves them and the trained ones; the averaged are published, as
they are the ones that are evaluated, unless ``--no-ema`` is given.
"""

import argparse
from pathlib import Path

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings
from torch import Tensor

from mmseg_remamber.checkpoints import read_checkpoint, weights_of, write_checkpoint
from mmseg_remamber.checkpoints.digest import sha256_of_file
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import config_of, load_config
from mmseg_remamber.models.build import build_on_meta
from mmseg_remamber.models.fits import check_fits

#: What of a run's config says where it ran, and nothing of the model.
MACHINE_KEYS = ('work_dir', 'load_from', 'resume', 'launcher')
KEPT_META = ('dataset_meta', 'epoch', 'iter')


def choose_weights(checkpoint: dict, *, ema: bool | None) -> tuple[dict[str, Tensor], str]:
    """The weights to publish, and their name: 'averaged' or 'trained'.

    Args:
        checkpoint: as mmengine's runner saves it. With its EMAHook ``state_dict`` has the averaged
            weights and ``ema_state_dict``, below ``module.``, the trained ones.
        ema: averaged (True) or trained (False) weights; None takes the averaged where there are.

    Raises:
        ValueError: when averaged weights are asked for and there are none.
    """
    has_ema = 'ema_state_dict' in checkpoint
    if ema and not has_ema:
        raise ValueError('--ema: the checkpoint has no averaged weights (ema_state_dict)')
    if has_ema and ema is False:
        state = checkpoint['ema_state_dict']
        # the hook's own counter is not below the prefix
        return weights_of({k: v for k, v in state.items() if k.startswith('module.')}), 'trained'
    return weights_of(checkpoint), 'averaged' if has_ema else 'trained'


def publish(
    src: str, out: str, *, config: str | None = None, ema: bool | None = None
) -> tuple[list[Path], str]:
    """Write both files.

    Args:
        src: checkpoint in this project's keys.
        out: folder and name of the files, without suffix.
        config: path of the config, for a checkpoint that does not have it.
        ema: as in :func:`choose_weights`.

    Returns:
        The files, and 'averaged' or 'trained'.

    Raises:
        FileNotFoundError: when the checkpoint or the config does not exist.
        ValueError: when the checkpoint is not of the config's model, has no config and none is
            given, or lacks the weights asked for.
    """
    checkpoint = read_checkpoint(src)
    state, weights = choose_weights(checkpoint, ema=ema)
    cfg = config_of(checkpoint, src) if config is None else load_config(config)
    import_modules_from_strings(**cfg.get('custom_imports', dict(imports=[])))
    check_fits(build_on_meta(cfg), state, src)

    known = checkpoint.get('meta', {})
    cfg = Config({key: value for key, value in cfg.to_dict().items() if key not in MACHINE_KEYS})
    meta = dict(cfg=cfg.pretty_text, weights=weights)
    meta |= {key: known[key] for key in KEPT_META if key in known}

    folder, name = Path(out).parent, Path(out).name
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for suffix in ('.pth', '.safetensors'):
        unnamed = folder / f'{name}-unfinished{suffix}'
        write_checkpoint(unnamed, state, meta)
        files.append(unnamed.rename(folder / f'{name}-{sha256_of_file(unnamed)[:8]}{suffix}'))
    return files, weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('src', help="checkpoint of a run, or converted from the authors'")
    parser.add_argument('out', help='folder and name of the files to write, without suffix')
    parser.add_argument('--config', help='config of the model; by default the one in the file')
    parser.add_argument(
        '--ema',
        action=argparse.BooleanOptionalAction,
        help='averaged or trained weights; by default averaged where the checkpoint has them',
    )
    args = parser.parse_args()
    files, weights = publish(args.src, args.out, config=args.config, ema=args.ema)
    for file in files:
        print(f'{file}: {weights} weights')


if __name__ == '__main__':
    with errors_as_messages():
        main()
