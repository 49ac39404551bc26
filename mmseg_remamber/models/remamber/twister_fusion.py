# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""One fusion stage: text features of a stage and the blocks that mix them into its map."""

from collections.abc import Sequence
from typing import Literal, get_args

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.models.staged import Fused, StageFusion
from mmseg_remamber.text import Text

from .correlation import GlobalText, LocalText
from .twister import Scans, TwisterBlock

TextMap = Literal['global', 'local']


@MODELS.register_module()
class TwisterFusion(StageFusion):
    """Mamba Twister stage (ReMamber, Fig. 2): global and local text, then Twister blocks.

    Args:
        dim: width C of the stage's map.
        text_dim: width of the text features.
        num_tokens: T, words of each sentence, padding included.
        depth: number of Twister blocks.
        scans, state_dim, ratio, scan_size: as in :class:`Twister`.
        texts: which text maps join the image, both as published: 'global', the sentence, and
            'local', the image-text correlation (ReMamber, Table 4).
        hidden_dim, mask_padding: as in :class:`LocalText`.

    Raises:
        ValueError: when ``texts`` is empty, repeats a name or has an unknown one.
    """

    def __init__(
        self,
        dim: int,
        *,
        text_dim: int,
        num_tokens: int,
        depth: int = 2,
        scans: Scans = 'channel-spatial',
        texts: Sequence[TextMap] = ('global', 'local'),
        state_dim: int = 1,
        ratio: float = 2.0,
        scan_size: int = 16,
        hidden_dim: int = 512,
        mask_padding: bool = False,
    ):
        super().__init__()
        known = get_args(TextMap)
        if not texts or sorted(texts) != sorted(set(texts) & set(known)):
            raise ValueError(f'texts must be one or both of {list(known)}, got {texts!r}')
        self.texts = tuple(texts)
        if 'global' in texts:
            self.global_text = GlobalText(text_dim, dim)
        if 'local' in texts:
            self.local_text = LocalText(
                dim,
                text_dim=text_dim,
                num_tokens=num_tokens,
                hidden_dim=hidden_dim,
                mask_padding=mask_padding,
            )
        self.blocks = nn.ModuleList(
            TwisterBlock(
                dim,
                num_maps=1 + len(texts),
                scans=scans,
                state_dim=state_dim,
                ratio=ratio,
                scan_size=scan_size,
            )
            for _ in range(depth)
        )

    def forward(self, x: Tensor, text: Text) -> Fused:
        """As :meth:`StageFusion.forward`; the fused map goes on and leaves, the text stays."""
        texts = []
        if 'global' in self.texts:
            texts.append(self.global_text(text.sentence))
        if 'local' in self.texts:
            texts.append(self.local_text(x, text))
        for block in self.blocks:
            x, *texts = block(x, *texts)
        return Fused(x, text, x, text)
