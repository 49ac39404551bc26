# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The config that trains on a written dataset, from any checkpoint or from the start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_remamber.configuration import find_config, load_config

from .layout import IMG_DIR, SPLIT_BY

#: How often each object is looked at, and the iterations that this is kept within.
PASSES, FEWEST, MOST = 40, 200, 5000
#: Share of the base config's learning rate for weights that are trained already.
RATE = 0.25

_SOURCE = """\
# Written by tools/dataset_converters/from_annotations.py, to be read and changed: trains on the
# dataset in the folder of this file, wherever that is moved.
_base_ = {base!r}
work_dir = r'''{{{{ fileDirname }}}}/work'''
_own = dict(
    type='RefCOCODataset',
    data_root=r'''{{{{ fileDirname }}}}''',
    dataset={dataset!r},
    split_by={split_by!r},
    img_dir={img_dir!r},
    # what checkpoints say of themselves
    metainfo=dict(
        origin=dict(
            name={dataset!r},
            pictures={pictures!r},
            sentences={sentences!r},
        )
    ),
)
train_dataloader = dict(
    batch_size={batch_size},
    num_workers=1,
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True),
    dataset=dict(_delete_=True, **_own, split='train', pipeline=_base_.train_pipeline),
)
val_dataloader = dict(
    batch_size={batch_size},
    num_workers=1,
    dataset=dict(
        _delete_=True, **_own, split='val', test_mode=True, pipeline=_base_.test_pipeline
    ),
)
test_dataloader = dict(val_dataloader, dataset=dict(val_dataloader['dataset'], split={test!r}))
"""


@dataclass(frozen=True)
class FineTuning:
    """What the config is made of.

    Attributes:
        base: Path or name of the config that it inherits: network, sizes and steps of pictures.
        checkpoint: File or URL of the weights to start from; None starts from the base's.
        batch_size: Objects an update.
        iterations: Updates; None chooses by the number of objects.
    """

    base: str
    checkpoint: str | None
    batch_size: int
    iterations: int | None


def choose_iterations(options: FineTuning, num_objects: int) -> int:
    """Updates that look at each object 40 times, between 200 and 5000; or those asked for."""
    if options.iterations is not None:
        return options.iterations
    return min(MOST, max(FEWEST, ceil(PASSES * num_objects / options.batch_size)))


def check_options(options: FineTuning) -> Config:
    """Check what can be checked before a dataset is written -> the base config.

    Raises:
        FileNotFoundError: No such config or checkpoint.
        ValueError: A base that cannot be inherited, or numbers that make no sense.
    """
    # a schedule of warm-up and decline has two iterations
    for name, least in (('batch_size', 1), ('iterations', 2)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise ValueError(f'{name} must be at least {least}, got {value}')
    checkpoint = options.checkpoint
    if checkpoint is not None and '://' not in checkpoint and not Path(checkpoint).is_file():
        raise FileNotFoundError(f'no checkpoint {checkpoint!r}')
    path = find_config(options.base)
    base = load_config(path)
    for mode, pipeline in (('train', 'train_pipeline'), ('val', 'test_pipeline')):
        if f'{mode}_dataloader' not in base or pipeline not in base:
            raise ValueError(f'base config {path} has no {mode}_dataloader or no {pipeline}')
        if not any(step['type'] == 'Resize' for step in base[pipeline]):
            raise ValueError(
                f'base config {path}: its {pipeline} has no Resize, so that it takes pictures of '
                'one size alone; take another base'
            )
    return base


def write_config(
    path: Path,
    dataset: str,
    options: FineTuning,
    base: Config,
    *,
    counts: Mapping[str, Mapping[str, int]],
    pictures: str,
    sentences: str,
) -> int:
    """Write the config and read it again.

    It finds the dataset in its own folder, wherever that is moved, and trains into ``work`` there.

    Args:
        path: File to write, in the folder of the dataset.
        dataset: Name of the annotation folder.
        options: What it is made of.
        base: As :func:`check_options` returned it.
        counts: As :func:`.write_dataset` returned them.
        pictures, sentences: What they are, in words, which checkpoints carry along.

    Returns:
        The number of iterations.

    """
    iterations = choose_iterations(options, counts['train']['objects'])
    warm_up = max(1, min(100, iterations // 10))
    interval = max(1, iterations // 5)
    test = 'test' if any('test' in split for split in counts) else 'val'
    rate = base.optim_wrapper.optimizer.lr * (RATE if options.checkpoint else 1)
    overrides: dict[str, Any] = dict(
        train_cfg=dict(
            _delete_=True, type='ResumableIterLoop', max_iters=iterations, val_interval=interval
        ),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.05, begin=0, end=warm_up, by_epoch=False),
            dict(
                type='CosineAnnealingLR', eta_min=0, begin=warm_up, end=iterations, by_epoch=False
            ),
        ],
        optim_wrapper=dict(optimizer=dict(lr=rate), clip_grad=dict(max_norm=1.0)),
        auto_scale_lr=dict(enable=False, base_batch_size=options.batch_size),
        default_hooks=dict(
            checkpoint=dict(by_epoch=False, interval=interval),
            logger=dict(interval=10, log_metric_by_epoch=False),
        ),
        log_processor=dict(by_epoch=False),
    )
    if base.get('custom_hooks'):
        kept = [hook for hook in base.custom_hooks if 'EMA' not in hook['type']]
        overrides['custom_hooks'] = [hook.to_dict() for hook in kept]
    if options.checkpoint:
        overrides['load_from'] = (
            options.checkpoint
            if '://' in options.checkpoint
            else os.path.abspath(options.checkpoint)
        )
        overrides['model'] = _without_downloads(base.model)
    source = _SOURCE.format(
        base=str(find_config(options.base).resolve()),
        dataset=dataset,
        split_by=SPLIT_BY,
        img_dir=IMG_DIR,
        pictures=pictures,
        sentences=sentences,
        batch_size=options.batch_size,
        test=test,
    )
    path.write_text(source + Config(overrides).pretty_text, encoding='utf-8')
    load_config(path)
    return iterations


def _without_downloads(model: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides by which no part of a model fetches weights that a checkpoint replaces anyway."""
    overrides: dict[str, Any] = {}
    for name, part in model.items():
        is_dict = isinstance(part, Mapping)
        fetches = is_dict and name == 'init_cfg' and part.get('type') == 'Pretrained'
        if fetches or (name == 'pretrained' and part is not None):
            overrides[name] = None
        elif is_dict and (inner := _without_downloads(part)):
            overrides[name] = inner
    return overrides
