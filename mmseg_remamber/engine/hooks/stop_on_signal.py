# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Ends training on a signal: the iteration is finished and a checkpoint written."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import torch
from mmengine.dist import all_reduce, barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

CHECKPOINT = 'interrupted.pth'


class Interrupted(SystemExit):
    """Training ended on a signal; ``code`` is 128 plus its number, as shells have it."""


@HOOKS.register_module()
class StopOnSignalHook(Hook):
    """Finishes the iteration on a signal, writes a checkpoint to resume from, and exits.

    The checkpoint is ``WORK_DIR/interrupted.pth``; the next one takes its place. All processes
    stop together, whichever were signalled. A gradient accumulation is finished first, and so is
    a validation.

    Args:
        signals: Names of the signals; SIGTERM ends a job (``scancel``, ``torchrun``, containers),
            SIGUSR1 is what Slurm is often asked to send ahead of the time limit.

    Raises:
        ValueError: A name is no signal's.
        Interrupted: In training, after a signal.
    """

    priority = 'VERY_HIGH'

    def __init__(self, signals: Sequence[str] = ('SIGTERM', 'SIGUSR1')):
        known = [item.name for item in signal.Signals]
        for name in signals:
            if name not in known:
                raise ValueError(f'signals must be among {known}, got {name!r}')
        self.signals = [signal.Signals[name] for name in signals]
        self._received = 0
        self._previous: dict = {}

    def before_train(self, runner: Runner) -> None:
        self._previous = {number: signal.signal(number, self._note) for number in self.signals}

    def after_train(self, runner: Runner) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        received = torch.tensor(self._received)
        all_reduce(received, op='max')
        if received and runner.optim_wrapper.should_update():
            self._stop(runner, signal.Signals(int(received)))

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = number

    def _stop(self, runner: Runner, received: signal.Signals) -> None:
        # under another name first: being killed now must not leave half a file to resume from
        draft, path = Path(runner.work_dir, CHECKPOINT + '.part'), Path(runner.work_dir, CHECKPOINT)
        meta = dict(epoch=runner.epoch, iter=runner.iter)
        runner.save_checkpoint(runner.work_dir, draft.name, meta=meta, by_epoch=False)
        if is_main_process():
            os.replace(draft, path)
            Path(runner.work_dir, 'last_checkpoint').write_text(str(path))
        barrier()
        self.after_train(runner)
        runner.logger.info(
            f'{received.name}: stopped after iteration {runner.iter}; {path} is written, '
            'go on from it with --resume'
        )
        raise Interrupted(128 + received)
