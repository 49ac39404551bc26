# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision on any device, groups of parameters, and weight decay of weights alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS
from torch import nn

#: Parameters of a scan that are rates and gains, of whatever shape they are kept in.
SCAN_RATES = ('A_logs', 'Ds', 'dt_projs_bias')


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Trains under autocast to bfloat16, on a GPU or a CPU.

    bfloat16 has float32's range, so that no loss scaler is needed; mmengine's ``AmpOptimWrapper``
    has one and runs on accelerators only. Weights, their updates and the states of the scans stay
    in float32. Arguments are those of :class:`mmengine.optim.OptimWrapper`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run forward and loss in bfloat16 where autocast has it."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class FewGroupsConstructor(DefaultOptimWrapperConstructor):
    """Makes groups by ``paramwise_cfg``, and one group of all parameters with the same options.

    mmengine makes a group of each parameter, which an optimizer updates one after another: of a
    small model that is a seventh of a training step.
    """

    def add_params(
        self,
        params: list[dict],
        module: nn.Module,
        prefix: str = '',
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Add the groups of ``module``."""
        super().add_params(params, module, prefix, is_dcn_module)
        if not prefix:  # no submodule of a whole that follows
            self._change(params, module)

    def _change(self, params: list[dict], model: nn.Module) -> None:
        """Change the groups in place. params: one group a parameter of ``model``."""
        merged: dict[tuple, dict] = {}
        for group in params:
            options = {key: value for key, value in group.items() if key != 'params'}
            key = tuple(sorted(options.items()))
            merged.setdefault(key, dict(options, params=[]))['params'] += group['params']
        params[:] = merged.values()


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class WeightsOnlyDecayConstructor(FewGroupsConstructor):
    """Makes groups by ``paramwise_cfg``, of which biases, norms and scan rates do not decay.

    The published program decays every parameter. Pulling the gain of a norm, a bias, or the
    logarithm of a decay rate (``A_logs``) towards zero regularises nothing, and common practice
    (GPT, Mamba) leaves them out: parameters of at most one dimension, and :data:`SCAN_RATES`.
    Parameters with the same options are one group.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None):
        # any rule at all, as mmengine otherwise makes one group of all parameters
        super().__init__(optim_wrapper_cfg, dict(paramwise_cfg or {}, norm_decay_mult=0.0))

    def _change(self, params: list[dict], model: nn.Module) -> None:
        rates = {
            id(parameter)
            for name, parameter in model.named_parameters()
            if parameter.ndim <= 1 or name.rpartition('.')[2] in SCAN_RATES
        }
        for group in params:
            if id(group['params'][0]) in rates:
                group['weight_decay'] = 0.0
        super()._change(params, model)
