# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation over the processes of a CPU run; torch's own needs a GPU."""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _AllReduce(torch.autograd.Function):
    """Sums values over processes, and gradients in the backward pass."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        grad = grad.clone()
        dist.all_reduce(grad)
        return grad


class CPUSyncBatchNorm(_BatchNorm):
    """:class:`torch.nn.SyncBatchNorm` in plain torch operations, for any device and backend.

    x: (B, C, ...) float -> the same shape. Processes may have batches and maps of different sizes.
    """

    def _check_input_dim(self, x: Tensor) -> None:
        if x.dim() < 2:
            raise ValueError(f'x must be (B, C, ...), got {tuple(x.shape)}')

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        self._check_input_dim(x)
        values = x.to(torch.promote_types(x.dtype, torch.float32))
        dims, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        size = torch.tensor(x.numel() // x.shape[1])
        dist.all_reduce(size)
        size = int(size)
        mean = _AllReduce.apply(values.sum(dims)) / size
        centred = values - mean.view(shape)
        variance = _AllReduce.apply(centred.square().sum(dims)) / size
        if self.track_running_stats:
            self._update(mean.detach(), variance.detach() * size / (size - 1))
        out = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            out = out * self.weight.view(shape) + self.bias.view(shape)
        return out.to(x.dtype)

    def _update(self, mean: Tensor, variance: Tensor) -> None:
        self.num_batches_tracked += 1
        momentum = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)


def sync_batch_norm(module: nn.Module, only: type[_BatchNorm] = _BatchNorm) -> nn.Module:
    """Replace a model's batch norms, keeping their parameters and buffers.

    Args:
        module: The model; changed in place unless it is itself a batch norm.
        only: Class of those to replace; :class:`torch.nn.SyncBatchNorm` for those meant to be
            synchronised.

    Returns:
        The model.
    """
    if isinstance(module, only) and not isinstance(module, CPUSyncBatchNorm):
        new = CPUSyncBatchNorm(
            module.num_features,
            eps=module.eps,
            momentum=module.momentum,
            affine=module.affine,
            track_running_stats=module.track_running_stats,
        )
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            setattr(new, name, tensor)
        return new.train(module.training)
    for name, child in module.named_children():
        setattr(module, name, sync_batch_norm(child, only))
    return module
