# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The transformer layer of both decoders."""

from torch import Tensor, nn

from mmseg_remamber.layers import Linear


class CrossAttentionLayer(nn.Module):
    """Attention to something else, then a feed-forward layer, each added and normed.

    Args:
        dim: width of queries.
        key_dim: width of keys and values.
        heads: attention heads.
        ffn_dim: hidden width of the feed-forward layer.
    """

    def __init__(self, dim: int, key_dim: int, *, heads: int = 8, ffn_dim: int = 2048):
        super().__init__()
        self.attn = nn.MultiheadAttention(dim, heads, kdim=key_dim, vdim=key_dim, batch_first=True)
        self.norm1 = nn.LayerNorm(dim)
        self.ffn = nn.Sequential(Linear(dim, ffn_dim), nn.ReLU(), Linear(ffn_dim, dim))
        self.norm2 = nn.LayerNorm(dim)

    def forward(
        self, x: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Args:
            x: (B, Q, C) float, what is added to.
            query: (B, Q, C) float.
            key, value: (B, K, key_dim) float.
            mask: (B, K) bool, False on keys that are left out; None leaves out none.

        Returns:
            (B, Q, C) float.
        """
        left_out = None if mask is None else ~mask
        found, _ = self.attn(query, key, value, key_padding_mask=left_out, need_weights=False)
        x = self.norm1(x + found)
        return self.norm2(x + self.ffn(x))


def xavier(module: nn.Module) -> None:
    """Begin every matrix below a module by Xavier's uniform distribution."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter)
