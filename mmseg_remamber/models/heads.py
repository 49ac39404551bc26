# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The contract of heads: from maps and sentences to masks, and to losses."""

from abc import abstractmethod
from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_remamber.layers import at_least_float32
from mmseg_remamber.text import Text


def check_four_maps(in_channels: Sequence[int]) -> None:
    """Raises:
    ValueError: when ``in_channels`` does not name 4 maps.
    """
    if len(in_channels) != 4:
        raise ValueError(f'in_channels must name 4 maps, got {list(in_channels)}')


class MaskHead(BaseModule):
    """A head that predicts one or more maps of logits and owns their losses.

    Args:
        losses: configs of the losses, each called with logits (B, K, H, W) float and labels
            (B, H, W) int64 in {0, 1}; each has a ``loss_name``.
        auxiliary_weights: factor of the losses of each map but the last, in the order of
            :meth:`forward`.
        init_cfg: initialisation config.

    Attributes:
        align_corners: how logits are brought to another size.

    Raises:
        ValueError: for two losses of one name.
    """

    align_corners = True

    def __init__(
        self,
        *,
        losses: Sequence[dict] = (),
        auxiliary_weights: Sequence[float] = (),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        self.losses = nn.ModuleList(MODELS.build(loss) for loss in losses)
        names = [loss.loss_name for loss in self.losses]
        if len(set(names)) < len(names):
            raise ValueError(f'losses must have different names, got {names}')
        self.auxiliary_weights = tuple(auxiliary_weights)

    @abstractmethod
    def forward(self, feats: Sequence[Tensor], text: Text) -> list[Tensor]:
        """Logits of the object, the best map last.

        Args:
            feats: maps of the backbone (B, C_i, H_i, W_i) float, finest first.
            text: the sentences, as the backbone leaves them.

        Returns:
            Maps (B, K, h, w) float: K is 1, the object's logits before the sigmoid, or 2, those of
            background and object before the softmax.
        """

    def loss(self, feats: Sequence[Tensor], text: Text, label: Tensor) -> dict[str, Tensor]:
        """Losses of the maps of :meth:`forward` by name. label: (B, H, W) in {0, 1}."""
        return self.loss_of_maps(self(feats, text), label)

    def loss_of_maps(self, maps: Sequence[Tensor], label: Tensor) -> dict[str, Tensor]:
        """Losses by name, each map brought to the label's size.

        Those of an auxiliary map begin with ``aux0_``, ``aux1_``, ...

        Args:
            maps: as :meth:`forward` returns them.
            label: (B, H, W) in {0, 1}.

        Raises:
            ValueError: when ``auxiliary_weights`` are not as many as the maps but the last.
        """
        *auxiliary, best = maps
        if len(auxiliary) != len(self.auxiliary_weights):
            raise ValueError(
                f'auxiliary_weights must have {len(auxiliary)} entries, one for each map but the '
                f'last, got {list(self.auxiliary_weights)}'
            )
        label = label.long()
        losses = self._losses(best, label)
        for i, (logits, weight) in enumerate(zip(auxiliary, self.auxiliary_weights, strict=True)):
            for name, value in self._losses(logits, label).items():
                losses[f'aux{i}_{name}'] = weight * value
        return losses

    def predict(self, feats: Sequence[Tensor], text: Text) -> Tensor:
        """The best map's logits of the object, (B, 1, h, w) float, before the sigmoid.

        Of two channels it is their difference, whose sigmoid is the softmax's second channel.
        """
        return self.best_of_maps(self(feats, text))

    def best_of_maps(self, maps: Sequence[Tensor]) -> Tensor:
        """As :meth:`predict`, of the maps that :meth:`forward` returns."""
        *_, best = maps
        return best[:, 1:] - best[:, :1] if best.shape[1] == 2 else best

    def resize(self, logits: Tensor, size: Sequence[int]) -> Tensor:
        """Bring logits bilinearly to a size. logits: (B, K, h, w) float -> (B, K, H, W)."""
        return F.interpolate(logits, size, mode='bilinear', align_corners=self.align_corners)

    def _losses(self, logits: Tensor, label: Tensor) -> dict[str, Tensor]:
        logits = at_least_float32(self.resize(logits, label.shape[1:]))
        return {str(loss.loss_name): loss(logits, label) for loss in self.losses}
