# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What computes in float32 even where its input is half as wide."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Cast half precision to float32; float32 and float64 stay as they are."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
