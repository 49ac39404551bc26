# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""mmengine's Runner with safe and strict loading, and process groups on machines without a GPU."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.distributed as dist
from mmengine.logging import MMLogger, print_log
from mmengine.model import BaseTTAModel, MMDistributedDataParallel, is_model_wrapper
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from mmengine.runner.checkpoint import load_state_dict
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from mmseg_remamber.checkpoints import latest_checkpoint, read_checkpoint, weights_of
from mmseg_remamber.configuration import compile_options
from mmseg_remamber.engine.console import shorten_console
from mmseg_remamber.engine.sync_batch_norm import sync_batch_norm
from mmseg_remamber.models.fits import check_fits


@RUNNERS.register_module()
class RefSegRunner(Runner):
    """Runner of every config here (``runner_type='RefSegRunner'``).

    Differs from mmengine's in these points: a checkpoint is read as data only, so that none can run
    code, and must fit the model exactly; workers that load data leave it to their process to end on
    a signal; processes launched on a machine without CUDA talk through gloo, are wrapped for the
    CPU, and synchronise batch norms there too; ``compile`` (True, or a dict of options of
    ``torch.compile``) compiles the network alone, in training and evaluation, where mmengine's
    compiles whole training steps, whose data samples break the graph.
    """

    def setup_env(self, env_cfg: dict) -> None:
        """Start the process group on the CPU where mmengine would ask for a CUDA device."""
        if self.distributed and self.launcher == 'pytorch' and not torch.cuda.is_available():
            print_log('No CUDA device: processes communicate through gloo on the CPU')
            dist.init_process_group('gloo')
        super().setup_env(env_cfg)

    def build_logger(
        self, log_level: int | str = 'INFO', log_file: str | None = None, **options
    ) -> MMLogger:
        """As mmengine's; the screen gets what :func:`shorten_console` leaves."""
        return shorten_console(super().build_logger(log_level, log_file, **options))

    def _log_env(self, env_cfg: dict) -> None:
        super()._log_env(env_cfg)
        self.logger.info(f'The log, with environment and config, is in {self._log_dir}')

    def load_or_resume(self) -> None:
        """As mmengine's; the last checkpoint of the work dir is found by its name in it, so that a
        work dir may have been copied, moved or renamed.
        """
        if self._resume and self._load_from is None:
            latest = latest_checkpoint(self.work_dir)
            self._load_from = None if latest is None else str(latest)
        super().load_or_resume()

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Compile the model if the config says so; wrap it for distribution without device ids
        where there is no CUDA device.

        Raises:
            TypeError: when ``compile`` is neither a bool nor a dict.
        """
        if (options := compile_options(self.cfg.get('compile', False))) is not None:
            model.compile(**options)
            self.logger.info('The network is compiled when it first runs, which takes its time')
        if not self.distributed or model_wrapper_cfg is not None or torch.cuda.is_available():
            return super().wrap_model(model_wrapper_cfg, model)
        every_norm = self.cfg.get('sync_bn') is not None
        return MMDistributedDataParallel(
            module=sync_batch_norm(model, only=_BatchNorm if every_norm else nn.SyncBatchNorm),
            broadcast_buffers=False,
            find_unused_parameters=self.cfg.get('find_unused_parameters', False),
        )

    def _maybe_compile(self, target: str) -> None:
        """Nothing: :meth:`wrap_model` has compiled the network."""

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """Build a loader as mmengine does, whose workers end on a signal of their parent alone.

        A job's end is signalled to all of its processes, and a worker that died of it would take
        the process down that is about to write a checkpoint.
        """
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        loader.worker_init_fn = partial(_init_worker, init_fn=loader.worker_init_fn)
        return loader

    def load_checkpoint(
        self,
        filename: str,
        map_location: str = 'cpu',
        strict: bool = True,
        revise_keys: list = [(r'^module.', '')],  # noqa: B006  mmengine's default
    ) -> dict:
        """Load weights as mmengine does, but from files and http(s) addresses alone, which
        :func:`read_checkpoint` reads, and strictly unless told otherwise.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is no checkpoint, could run code, or is of another model; names
                the file, and the keys.
        """
        checkpoint = read_checkpoint(filename, map_location)
        model = self.model
        while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
            model = model.module
        if strict:
            check_fits(model, _revised(checkpoint, revise_keys), filename)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)  # may exchange the weights
        load_state_dict(model, _revised(checkpoint, revise_keys), strict)
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint


def _revised(checkpoint: dict, revise_keys: list) -> dict[str, Tensor]:
    """Read a checkpoint's weights, and change their keys by (pattern, replacement) pairs."""
    state = weights_of(checkpoint)
    for pattern, replacement in revise_keys:
        state = {re.sub(pattern, replacement, key): value for key, value in state.items()}
    return state


def _init_worker(worker_id: int, init_fn: Callable[[int], None] | None) -> None:
    """Initialise a worker, and start a thread that takes the signals which end a job."""
    taken = (signal.SIGTERM, signal.SIGUSR1)

    def wait() -> None:
        while True:
            info = signal.sigwaitinfo(taken)
            if info.si_signo == signal.SIGTERM and info.si_pid == os.getppid():
                os._exit(0)

    signal.pthread_sigmask(signal.SIG_BLOCK, taken)  # threads to come inherit it
    threading.Thread(target=wait, daemon=True).start()
    if init_fn is not None:
        init_fn(worker_id)


def leave_process_group() -> None:
    """End a distributed run: wait for the others, then close the connections to them.

    A process that ends Python with gloo's threads still running aborts now and then.
    """
    if dist.is_initialized():
        backend = dist.get_backend()
        dist.barrier()
        dist.destroy_process_group()
        if backend == 'gloo':
            # its threads let go of what they have sent after the call, and nothing waits for them
            time.sleep(0.5)
