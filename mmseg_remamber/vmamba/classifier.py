# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""VMamba as an image classifier, the form in which its weights are published."""

from torch import Tensor, nn

from .backbone import VMamba


class VMambaClassifier(nn.Module):
    """Backbone without output norms, LayerNorm, mean over positions, Linear.

    Args:
        arch: as in :class:`VMamba`.
        num_classes: number of logits.
    """

    def __init__(self, arch: str | dict, *, num_classes: int = 1000):
        super().__init__()
        self.backbone = VMamba(arch, out_indices=())
        self.norm = nn.LayerNorm(self.backbone.dims[-1])
        self.head = nn.Linear(self.backbone.dims[-1], num_classes)

    def forward(self, img: Tensor) -> Tensor:
        """img: (B, 3, H, W) normalised float -> logits (B, num_classes)."""
        *_, x = self.backbone.stage_maps(img)
        return self.head(self.norm(x).mean(dim=(1, 2)))
