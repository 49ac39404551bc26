# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What follows a stage of LAVT's trunk."""

from collections.abc import Iterable

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.layers import TanhGate
from mmseg_remamber.models.staged import Fused, StageFusion
from mmseg_remamber.text import Text

from .pwam import PWAM


@MODELS.register_module()
class LAVTFusion(StageFusion):
    """Pixel-word attention, and a gate that lets it into the trunk (LAVT, Fig. 2).

    What leaves for the head is the normed attention alone, without the trunk's own map, as in the
    authors' program.

    Args:
        dim: width C of the stage's map.
        text_dim: D, width of the words.
        num_tokens: not used; the attention takes any number.
        heads, dropout: as of :class:`PWAM`.
    """

    def __init__(
        self,
        dim: int,
        *,
        text_dim: int,
        num_tokens: int,
        heads: int = 1,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.pwam = PWAM(dim, text_dim=text_dim, heads=heads, dropout=dropout)
        self.gate = TanhGate(dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, text: Text) -> Fused:
        """As :meth:`StageFusion.forward`; the text stays as it is."""
        residual = self.pwam(x, text)
        return Fused(x + self.gate(residual) * residual, text, self.norm(residual), text)

    def only_for_the_next_stage(self) -> Iterable[nn.Module]:
        """As :meth:`StageFusion.only_for_the_next_stage`."""
        return (self.gate,)
