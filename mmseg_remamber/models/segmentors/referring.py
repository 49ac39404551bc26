# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Referring segmentor: an image and a sentence in, the mask of the object meant out."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmseg_remamber.models.precision import DTYPES, autocast

_COMPILED = ('logits', 'logits_of_features')  # methods that take and return tensors alone


@MODELS.register_module()
class ReferringSegmentor(BaseSegmentor):
    """Text encoder, multi-modal backbone and head.

    Every sample brings its sentence as ``token_ids`` and ``token_mask``, both (T,).

    Args:
        text_encoder: config of a module that maps (token_ids, token_mask) to word features
            (B, T, D) and a sentence feature (B, D).
        backbone: config of a module that maps (img, words, sentence, token_mask) to maps.
        decode_head: config of a module that maps (maps, words, sentence, token_mask) to logits
            (B, 1, h, w).
        losses: configs of the losses, each on logits (B, 1, H, W) against labels (B, H, W).
        threshold: probability above which a pixel belongs to the object.
        predict_dtype: what :meth:`predict` computes in, 'float32', 'bfloat16' or 'float16', by
            :func:`~mmseg_remamber.models.precision.autocast`. Training has its optimiser wrapper
            for that.
        data_preprocessor: config of the data preprocessor.
        init_cfg: initialisation config.

    Raises:
        ValueError: for a threshold outside (0, 1), an unknown ``predict_dtype``; from ``predict``
            for one that the device does not have.
    """

    def __init__(
        self,
        *,
        text_encoder: dict,
        backbone: dict,
        decode_head: dict,
        losses: Sequence[dict],
        threshold: float = 0.5,
        predict_dtype: str = 'float32',
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if not 0 < threshold < 1:
            raise ValueError(f'threshold must be in (0, 1), got {threshold!r}')
        if predict_dtype not in DTYPES:
            raise ValueError(
                f'predict_dtype must be one of {sorted(DTYPES)}, got {predict_dtype!r}'
            )
        self.text_encoder = MODELS.build(text_encoder)
        self.backbone = MODELS.build(backbone)
        self.decode_head = MODELS.build(decode_head)
        self.losses = nn.ModuleList(MODELS.build(loss) for loss in losses)
        self.threshold = threshold
        self.predict_dtype = predict_dtype

    def compile(
        self,
        *,
        mode: str | None = None,
        dynamic: bool | None = None,
        fullgraph: bool = False,
        backend: str = 'inductor',
        options: dict[str, Any] | None = None,
    ) -> None:
        """Compile the network when it first runs, in place: losses, predictions and all else that
        goes through :meth:`logits` or :meth:`logits_of_features`.

        Data samples stay outside, so that the network is one graph. Parameters and the keys of
        state dicts stay as they are. A copy of the segmentor is not compiled.

        Args:
            mode, dynamic, fullgraph, backend, options: as in :func:`torch.compile`.
                ``mode='reduce-overhead'`` replays CUDA graphs, one for each size of the input.
                By default the second size of an input is compiled for any size.

        Raises:
            RuntimeError: from torch, for an unknown mode or option.
        """
        chosen = dict(
            mode=mode, dynamic=dynamic, fullgraph=fullgraph, backend=backend, options=options
        )
        for name in _COMPILED:
            setattr(self, name, torch.compile(getattr(type(self), name).__get__(self), **chosen))

    def __getstate__(self) -> dict[str, Any]:
        """For copies, whose compiled network would be this one's."""
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in _COMPILED}

    def logits(self, img: Tensor, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """The whole network, on tensors alone.

        Args:
            img: (B, 3, H, W) normalised float.
            token_ids: (B, T) int64.
            token_mask: (B, T) bool or integer, 0 on padding.

        Returns:
            (B, 1, H, W) float, before the sigmoid.
        """
        words, sentence = self.text_encoder(token_ids, token_mask)
        return self.logits_of_features(img, words, sentence, token_mask)

    def logits_of_features(
        self,
        img: Tensor,
        words: Tensor,
        sentence: Tensor,
        token_mask: Tensor,
        image_index: Tensor | None = None,
    ) -> Tensor:
        """The network after its text encoder, whose features may have been computed before.

        Args:
            img: (B, 3, H, W) normalised float; (N, 3, H, W) with ``image_index``.
            words: (B, T, D) float.
            sentence: (B, D) float.
            token_mask: (B, T) bool or integer, 0 on padding.
            image_index: (B,) int64, the image of each sentence, for a backbone that shares an image
                among its sentences, as :class:`ReMamber` does; None is one image a sentence.

        Returns:
            (B, 1, H, W) float, before the sigmoid.
        """
        shared = {} if image_index is None else dict(image_index=image_index)
        feats = self.backbone(img, words, sentence, token_mask, **shared)
        logits = self.decode_head(feats, words, sentence, token_mask)
        return F.interpolate(logits, img.shape[2:], mode='bilinear', align_corners=True)

    def extract_feat(self, inputs: Tensor, data_samples: list[SegDataSample]) -> tuple[Tensor, ...]:
        """Maps of the backbone. inputs: (B, 3, H, W) normalised float."""
        token_ids, token_mask = stack_tokens(data_samples)
        words, sentence = self.text_encoder(token_ids, token_mask)
        return self.backbone(inputs, words, sentence, token_mask)

    def encode_decode(self, inputs: Tensor, batch_data_samples: list[SegDataSample]) -> Tensor:
        """Logits at input size. inputs: (B, 3, H, W) normalised float -> (B, 1, H, W)."""
        return self.logits(inputs, *stack_tokens(batch_data_samples))

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """The losses by name. inputs: (B, 3, H, W) normalised float."""
        logits = self.encode_decode(inputs, data_samples).float()
        label = torch.cat([sample.gt_sem_seg.data for sample in data_samples])
        return {loss.loss_name: loss(logits, label) for loss in self.losses}

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample]) -> list[SegDataSample]:
        """Add to each sample what is found, with the padding cut off:

        - ``input_logits`` (1, H, W) float, at the size that the network saw;
        - ``seg_logits`` (1, h, w) float, those brought bilinearly to the size ``ori_shape`` of the
          image;
        - ``pred_sem_seg`` (1, h, w) uint8 in {0, 1}.
        """
        with autocast(self.predict_dtype, inputs.device):
            batch = self.encode_decode(inputs, data_samples).float()
        for logits, sample in zip(batch, data_samples, strict=True):
            logits = cut_padding(logits, sample)
            own = at_own_size(logits, sample)
            mask = (own.sigmoid() > self.threshold).to(torch.uint8)
            sample.input_logits = PixelData(data=logits)
            sample.seg_logits = PixelData(data=own)
            sample.pred_sem_seg = PixelData(data=mask)
        return data_samples

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample]) -> Tensor:
        return self.encode_decode(inputs, data_samples)


def cut_padding(logits: Tensor, sample: SegDataSample) -> Tensor:
    """Cut off what the data preprocessor added. logits: (1, H, W) -> (1, h, w)"""
    left, right, top, bottom = sample.metainfo.get('img_padding_size', (0, 0, 0, 0))
    height, width = logits.shape[1:]
    return logits[:, top : height - bottom, left : width - right]


def at_own_size(logits: Tensor, sample: SegDataSample) -> Tensor:
    """Bring logits to the size ``ori_shape`` of the image. logits: (1, h, w) -> (1, H, W)"""
    size = sample.metainfo.get('ori_shape', logits.shape[1:])
    return F.interpolate(logits[None], size, mode='bilinear', align_corners=False)[0]


def stack_tokens(data_samples: Sequence[SegDataSample]) -> tuple[Tensor, Tensor]:
    """(B, T) token ids and (B, T) token mask of a batch.

    Raises:
        ValueError: for a sample without tokens.
    """
    for sample in data_samples:
        if 'token_ids' not in sample or 'token_mask' not in sample:
            raise ValueError(
                'data_samples need token_ids and token_mask: put TokenizeText before '
                f'PackRefSegInputs in the pipeline (sample {sample.metainfo.get("img_path")!r})'
            )
    ids = torch.stack([sample.token_ids for sample in data_samples])
    mask = torch.stack([sample.token_mask for sample in data_samples])
    return ids, mask
