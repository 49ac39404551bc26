# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""mmcv's convolution module with a fast form."""

from mmcv.cnn import ConvModule as MMCVConvModule
from torch import Tensor

from mmseg_remamber import fast


class ConvModule(MMCVConvModule):
    """Convolution, norm and activation. Inference on a CPU folds batch norm into the convolution.

    mmcv's own ``efficient_conv_bn_eval`` folds by replacing the convolution's ``forward`` during
    the call, which no captured graph can follow, on every device.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) float -> (B, C', H', W')."""
        if fast.applies(x):
            weight, bias, norm = fast.fold(self.conv, self.norm)
            x = norm(self.conv._conv_forward(x, weight, bias))
            return self.activate(x) if self.with_activation else x
        return super().forward(x)
