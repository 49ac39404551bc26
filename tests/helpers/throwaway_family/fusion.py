# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.models import Fused, StageFusion
from mmseg_remamber.text import Text


@MODELS.register_module()
class AddSentence(StageFusion):
    """Adds a linear layer's sentence to the map. What leaves is the sum, what goes on the map."""

    def __init__(self, dim: int, *, text_dim: int, num_tokens: int):
        super().__init__()
        self.proj = nn.Linear(text_dim, dim)

    def forward(self, x: Tensor, text: Text) -> Fused:
        return Fused(x, text, x + self.proj(text.sentence)[:, None, None], text)
