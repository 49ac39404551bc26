# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The batch of a schedule on the machine at hand.

A schedule is made for a number of samples an update of the weights: ``auto_scale_lr`` of its config
has it as ``base_batch_size``. Any number of processes reaches it, with as many samples a process
and step as fit, and gradients accumulated over as many steps as are missing.

What a config counts in iterations (the length of training, validations, checkpoints, learning
rates) counts updates: the iterations become as many more as are accumulated for one.
"""

import argparse
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

from mmengine.config import Config

#: Where each launcher says how many processes there are.
_WORLD_SIZE = dict(pytorch='WORLD_SIZE', slurm='SLURM_NTASKS', mpi='OMPI_COMM_WORLD_SIZE')
#: Steps the schedules once an update; see engine.hooks.schedule.
_SCHEDULE_HOOK = 'UpdateSchedulerHook'
_CHOOSE = 0  # --accumulate without a number


@dataclass(frozen=True)
class Batch:
    """Samples of one update of the weights.

    Attributes:
        size: samples a process and step.
        processes: number of processes.
        accumulated: steps whose gradients are accumulated.
    """

    size: int
    processes: int
    accumulated: int

    @property
    def total(self) -> int:
        return self.size * self.processes * self.accumulated

    def __str__(self) -> str:
        processes = 'process' if self.processes == 1 else 'processes'
        return (
            f'{self.size} a process x {self.processes} {processes} x {self.accumulated} '
            f'accumulated = {self.total}'
        )


def add_batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --batch-size and --accumulate."""
    parser.add_argument(
        '--batch-size',
        type=_positive,
        metavar='N',
        help="samples a process and step, the config's by default; val and test take at most N. "
        'Gradients are accumulated to the total that the schedule was made for',
    )
    parser.add_argument(
        '--accumulate',
        nargs='?',
        const=_CHOOSE,
        type=_positive,
        metavar='K',
        help='steps whose gradients are accumulated; without K as many as the total needs, which '
        'is the default',
    )


def count_processes(launcher: str, environment: Mapping[str, str] = os.environ) -> int:
    """Number of processes of a run, before they know each other.

    Args:
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.
        environment: variables of the process.

    Raises:
        ValueError: when the launcher's variable is not there.
    """
    if launcher == 'none':
        return 1
    variable = _WORLD_SIZE[launcher]
    if variable not in environment:
        raise ValueError(
            f'--launcher {launcher}: {variable} is not set, so that this process was not started '
            'by it'
        )
    return int(environment[variable])


def choose_batch(total: int, processes: int, size: int, accumulate: int | None = None) -> Batch:
    """The batch that reaches a total.

    Args:
        total: samples of an update that the schedule was made for.
        processes: number of processes.
        size: samples a process and step.
        accumulate: steps to accumulate; None chooses.

    Raises:
        ValueError: when the total cannot be met; names what would meet it.

    Examples:
        >>> print(choose_batch(64, 1, 2))
        2 a process x 1 process x 32 accumulated = 64
    """
    step = size * processes
    if accumulate is None and total % step == 0:
        return Batch(size, processes, total // step)
    batch = Batch(size, processes, accumulate or 1)
    if accumulate is not None and batch.total == total:
        return batch
    if accumulate is None:
        given = f'--batch-size {size}: {size} a process x {processes} = {step} does not divide'
    else:
        given = f'--batch-size {size} --accumulate {accumulate}: {batch} is not'
    raise ValueError(
        f'{given} the {total} samples that this schedule was made for. '
        f'{_what_would_do(total, batch, accumulate)}'
    )


def fit_batch(cfg: Config, size: int | None, accumulate: int | None, processes: int) -> str:
    """Make a config's batch the one that its schedule was made for.

    A config that names no total (``auto_scale_lr`` without ``base_batch_size``), or that scales its
    learning rate to any (``auto_scale_lr.enable=True``), gets what the arguments say, no more.

    Args:
        cfg: config to change.
        size: --batch-size.
        accumulate: --accumulate; 0 chooses, as does None, unless the config accumulates itself.
        processes: number of processes.

    Returns:
        What was chosen, one line.

    Raises:
        ValueError: when the total cannot be met, or the config cannot be brought to it.
    """
    own = cfg.optim_wrapper.get('accumulative_counts', 1)
    scaling = cfg.get('auto_scale_lr') or {}
    total = None if scaling.get('enable') else scaling.get('base_batch_size')
    if size is not None:
        _limit_batches(cfg, size)
    size = cfg.train_dataloader.batch_size
    if accumulate is None and 'accumulative_counts' in cfg.optim_wrapper:
        accumulate = own
    if total is not None:
        batch = choose_batch(total, processes, size, None if accumulate == _CHOOSE else accumulate)
    elif accumulate == _CHOOSE:
        raise ValueError(
            '--accumulate without a number needs the total of the schedule: '
            'auto_scale_lr.base_batch_size, with auto_scale_lr.enable=False'
        )
    elif scaling.get('enable') and accumulate not in (None, 1):
        raise ValueError(
            f'--accumulate {accumulate}, or accumulative_counts in the config: '
            'auto_scale_lr.enable=True scales the learning rate by the samples of a step, and '
            'knows of no accumulation'
        )
    else:
        batch = Batch(size, processes, accumulate or 1)
    if batch.accumulated != own:
        cfg.optim_wrapper.accumulative_counts = batch.accumulated
        _count_updates(cfg, own, batch.accumulated)
    said = f'batch: {batch}'
    if scaling.get('enable'):
        said += '; the learning rate is scaled by it'
    elif total is None:
        said += '; the config does not say what its schedule was made for'
    if batch.accumulated > 1 and 'max_iters' in cfg.train_cfg:
        iterations = cfg.train_cfg.max_iters
        said += f'; {iterations // batch.accumulated} updates in {iterations} iterations'
    return said


def fit_cpu(cfg: Config, given: Collection[str] = ()) -> str | None:
    """Make a config run where there is no CUDA device, in place: float32 in place of float16, and
    one worker a loader, as more would take the cores from the training.

    Args:
        cfg: config to change.
        given: dotted keys that the user has set, which stay.

    Returns:
        What was changed, one line; None when nothing was.
    """
    changes = []
    wrapper = cfg.optim_wrapper
    if wrapper.type == 'AmpOptimWrapper' and 'optim_wrapper.type' not in given:
        wrapper.type = 'OptimWrapper'
        for option in ('loss_scale', 'dtype', 'use_fsdp'):  # of the loss scaler and its autocast
            wrapper.pop(option, None)
        changes.append('OptimWrapper (float32) in place of AmpOptimWrapper')
    loaders = [f'{mode}_dataloader' for mode in ('train', 'val', 'test')]
    busy = [
        name
        for name in loaders
        if (cfg.get(name) or {}).get('num_workers', 0) > 1 and f'{name}.num_workers' not in given
    ]
    for name in busy:
        cfg[name].num_workers = 1
    if busy:
        changes.append(f'num_workers=1 in {", ".join(busy)}')
    return f'no CUDA device: {"; ".join(changes)}' if changes else None


def _limit_batches(cfg: Config, size: int) -> None:
    cfg.train_dataloader.batch_size = size
    for name in ('val_dataloader', 'test_dataloader'):
        if loader := cfg.get(name):
            loader.batch_size = min(loader.get('batch_size', 1), size)


def _what_would_do(total: int, batch: Batch, accumulate: int | None) -> str:
    """Sentences that name the numbers which meet a total that a batch does not."""
    other = (
        'For another total: --cfg-options auto_scale_lr.enable=True scales the learning rate, '
        'auto_scale_lr=None leaves it as it is'
    )
    if total % batch.processes:
        return f'Take one of {_divisors(total)} processes, not {batch.processes}. {other}'
    share = total // batch.processes
    if accumulate is None:
        return f'--batch-size may be one of {_divisors(share)}. {other}'
    choices = []
    if share % batch.size == 0:
        choices.append(f'--accumulate {share // batch.size}')
    if share % accumulate == 0:
        choices.append(f'--batch-size {share // accumulate}')
    if not choices:
        choices = [f'--batch-size and --accumulate whose product is {share}']
    return f'Take {" or ".join(choices)}. {other}'


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


def _count_updates(cfg: Config, before: int, now: int) -> None:
    """Let a config that accumulates another number of steps make the same updates, in place."""
    if cfg.get('default_hooks') is None:
        cfg.default_hooks = {}
    hooks = cfg.default_hooks
    schedules = cfg.get('param_scheduler') or []
    schedules = [schedules] if isinstance(schedules, Mapping) else schedules
    hook = (hooks.get('param_scheduler') or {}).get('type', 'ParamSchedulerHook')
    for schedule in schedules:
        if schedule.get('convert_to_iter_based'):
            raise ValueError(
                f'{schedule.type} has convert_to_iter_based=True, which counts the iterations of '
                'an epoch and cannot be accumulated: leave it out'
            )
        if before > 1 and not schedule.get('by_epoch', True) and hook != _SCHEDULE_HOOK:
            raise ValueError(
                f'the config accumulates {before} steps itself, and its {schedule.type} counts '
                'iterations of them: take optim_wrapper.accumulative_counts out of it'
            )
    factor = Fraction(now, before)
    loop = cfg.train_cfg
    if 'max_iters' in loop:
        loop.setdefault('val_interval', 1000)  # mmengine's default
        for key in ('max_iters', 'val_begin', 'val_interval'):
            _scale(loop, key, factor, 'train_cfg')
        if loop.get('dynamic_intervals'):
            loop.dynamic_intervals = [
                tuple(_scaled(n, factor, 'train_cfg.dynamic_intervals') for n in pair)
                for pair in loop.dynamic_intervals
            ]
    if not (hooks.get('checkpoint') or {}).get('by_epoch', True):
        _scale(hooks.checkpoint, 'interval', factor, 'default_hooks.checkpoint')
    for custom in cfg.get('custom_hooks') or []:
        _scale(custom, 'begin_iter', factor, custom.type)  # of averaged weights
    if (stepped := hooks.get('param_scheduler', {})) is not None:  # None is no hook
        hooks['param_scheduler'] = dict(stepped, type=_SCHEDULE_HOOK)


def _scale(options: dict, key: str, factor: Fraction, where: str) -> None:
    if options.get(key, -1) > 0:
        options[key] = _scaled(options[key], factor, f'{where}.{key}')


def _scaled(number: int, factor: Fraction, name: str) -> int:
    scaled = number * factor
    if scaled.denominator > 1:
        raise ValueError(f'{name}={number} cannot be made {factor} of it: it must divide')
    return int(scaled)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'must be a whole number from 1 on, got {text!r}')
    return int(text)
