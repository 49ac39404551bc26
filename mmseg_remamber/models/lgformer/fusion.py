# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What follows a stage of LGFormer's trunk."""

from collections.abc import Iterable

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.layers import TanhGate
from mmseg_remamber.models.staged import Fused, StageFusion
from mmseg_remamber.text import Text

from .vlba import VLBA


@MODELS.register_module()
class LGFormerFusion(StageFusion):
    """Bidirectional attention, and gates that let it into the trunk and into the words (LGFormer).

    What leaves for the head is the attention alone, normed on the side of the image, without what
    it was added to, as in the authors' program.

    Args:
        dim: width C of the stage's map.
        text_dim: D, width of the words.
        num_tokens: not used; the attention takes any number.
        heads: as of :class:`VLBA`.
    """

    def __init__(self, dim: int, *, text_dim: int, num_tokens: int, heads: int = 1):
        super().__init__()
        self.vlba = VLBA(dim, text_dim=text_dim, heads=heads)
        self.gate = TanhGate(dim)
        self.words_gate = TanhGate(text_dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, text: Text) -> Fused:
        """As :meth:`StageFusion.forward`."""
        image, words = self.vlba(x, text)
        x = x + self.gate(image) * image
        mask = text.mask[..., None]
        on = text._replace(words=(text.words + self.words_gate(words) * words) * mask)
        return Fused(x, on, self.norm(image), text._replace(words=words))

    def only_for_the_next_stage(self) -> Iterable[nn.Module]:
        """As :meth:`StageFusion.only_for_the_next_stage`."""
        return self.gate, self.words_gate
