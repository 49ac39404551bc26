# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What mmpretrain makes of configs/vmamba/classification, where mmpretrain is not installed."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_remamber.vmamba import VMamba


class VMambaClassifier(BaseModule):
    """Keys and outputs of ``ImageClassifier`` with ``GlobalAveragePooling`` and ``LinearClsHead``.

    Args:
        arch: as in :class:`VMamba`.
        num_classes: number of logits.
    """

    def __init__(self, arch: str | dict, *, num_classes: int = 1000):
        super().__init__()
        self.backbone = VMamba(arch, out_indices=(3,))
        self.head = nn.Module()
        self.head.fc = nn.Linear(self.backbone.dims[-1], num_classes)

    def forward(self, img: Tensor) -> Tensor:
        """img: (B, 3, H, W) normalised float -> logits (B, num_classes)."""
        (x,) = self.backbone(img)
        return self.head.fc(x.mean(dim=(2, 3)))
