# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The fastest exact product of a linear layer on a CPU."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .policy import applies


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, gelu: bool = False) -> Tensor:
    """``x @ weight.T + bias``, and its GELU if asked.

    On a CPU torch multiplies in float32 by MKL. Inference takes oneDNN there, as torch does for
    bfloat16 and for compiled graphs: it runs nearer the machine's limit on such narrow matrices,
    and applies the GELU while the product is in the cache.

    Args:
        x: (..., C) float.
        weight: (O, C) float.
        bias: (O,) float, or none.
        gelu: whether GELU follows, by the error function.

    Returns:
        (..., O) float.
    """
    if applies(x) and _onednn_multiplies(x, weight):
        return torch.ops.mkldnn._linear_pointwise(
            x, weight, bias, 'gelu' if gelu else 'none', [], 'none'
        )
    x = F.linear(x, weight, bias)
    return F.gelu(x) if gelu else x


def _onednn_multiplies(x: Tensor, weight: Tensor) -> bool:
    return (
        x.dtype == weight.dtype == torch.float32
        and weight.is_contiguous()  # with columns of another oneDNN has no fast product
        and not torch.is_autocast_enabled('cpu')
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
    )
