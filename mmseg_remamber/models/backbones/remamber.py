# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Multi-modal backbone of ReMamber: VMamba stages, each followed by a fusion stage."""

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.vmamba import VMamba


@MODELS.register_module()
class ReMamber(VMamba):
    """VMamba whose stages each end in a fusion with the text (ReMamber, Fig. 2).

    The maps are returned as they are, without output norms, and the fused map feeds the next
    stage.

    Args:
        arch: as in :class:`VMamba`; the paper uses 'base-s2l15'.
        text_dim: width of the text features.
        num_tokens: T, words of each sentence, padding included.
        fusion: config of the fusion stage, built once for each stage with ``dim``, ``text_dim``
            and ``num_tokens`` added; its forward is that of :class:`TwisterFusion`.
        in_channels, drop_path_rate, frozen_stages, with_cp, init_cfg: as in :class:`VMamba`;
            freezing concerns the image stages only, and so does the pretrained checkpoint.
    """

    def __init__(
        self,
        arch: str | dict = 'base-s2l15',
        *,
        text_dim: int,
        num_tokens: int,
        fusion: dict,
        in_channels: int = 3,
        drop_path_rate: float | None = None,
        frozen_stages: int = -1,
        with_cp: bool = False,
        init_cfg: dict | None = None,
    ):
        super().__init__(
            arch,
            in_channels=in_channels,
            drop_path_rate=drop_path_rate,
            out_indices=(),
            frozen_stages=frozen_stages,
            with_cp=with_cp,
            init_cfg=init_cfg,
        )
        sizes = dict(text_dim=text_dim, num_tokens=num_tokens)
        self.fusions = nn.ModuleList(
            MODELS.build(dict(fusion, dim=dim, **sizes)) for dim in self.dims
        )

    def forward(
        self,
        img: Tensor,
        words: Tensor,
        sentence: Tensor,
        token_mask: Tensor,
        image_index: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Args:
            img: (B, 3, H, W) normalised float; (N, 3, H, W) with ``image_index``.
            words: (B, T, text_dim) float.
            sentence: (B, text_dim) float.
            token_mask: (B, T), 0 on padding.
            image_index: (B,) int64 in [0, N), the image of each sentence; None is one image a
                sentence. What no text enters, the patch embedding and the first stage, is computed
                once an image.

        Returns:
            One map (B, C_i, H_i, W_i) for each stage, at strides 4, 8, 16, 32.
        """
        x = self.run_stage(self.patch_embed(img), 0)
        if image_index is not None:
            x = x[image_index]
        outs = []
        for i, fusion in enumerate(self.fusions):
            if i > 0:
                x = self.run_stage(self.downsamples[i - 1](x), i)
            x = self.run_block(fusion, x, words, sentence, token_mask)
            outs.append(x.permute(0, 3, 1, 2))
        return tuple(outs)
