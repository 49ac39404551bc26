# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""mmengine's Runner with strict loading, and process groups on machines without a GPU."""

import torch
import torch.distributed as dist
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from torch import nn

from .mismatch import explain_mismatch


@RUNNERS.register_module()
class RefSegRunner(Runner):
    """Runner of every config here (``runner_type='RefSegRunner'``).

    Differs from mmengine's in three points: a checkpoint must fit the model exactly; processes
    launched on a machine without CUDA talk through gloo, and are wrapped for the CPU.
    """

    def setup_env(self, env_cfg: dict) -> None:
        """Start the process group on the CPU where mmengine would ask for a CUDA device."""
        if self.distributed and self.launcher == 'pytorch' and not torch.cuda.is_available():
            print_log('No CUDA device: processes communicate through gloo on the CPU')
            dist.init_process_group('gloo')
        super().setup_env(env_cfg)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Wrap for distribution without device ids where there is no CUDA device."""
        if self.distributed and model_wrapper_cfg is None and not torch.cuda.is_available():
            model_wrapper_cfg = dict(
                type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
            )
        return super().wrap_model(model_wrapper_cfg, model)

    def load_checkpoint(
        self,
        filename: str,
        map_location: str = 'cpu',
        strict: bool = True,
        revise_keys: list = [(r'^module.', '')],  # noqa: B006  mmengine's default
    ) -> dict:
        """As mmengine's, but strict unless told otherwise.

        Raises:
            ValueError: when the checkpoint is of another model; names the file and the keys.
        """
        with explain_mismatch(filename, self.model):
            return super().load_checkpoint(filename, map_location, strict, revise_keys)


def leave_process_group() -> None:
    """End a distributed run: wait for the others, then close the connections to them.

    A process that exits with gloo's threads still running aborts now and then.
    """
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()
