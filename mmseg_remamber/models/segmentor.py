# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Referring segmentor: an image and a sentence in, the mask of the object meant out."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmseg_remamber.text import Text, TextEncoder

from .heads import MaskHead
from .precision import DTYPES, autocast

_COMPILED = ('maps', 'maps_of_text')  # methods that take and return tensors alone


@MODELS.register_module()
class ReferringSegmentor(BaseSegmentor):
    """Text encoder, multi-modal backbone and head.

    Every sample brings its sentence as ``token_ids`` and ``token_mask``, both (T,).

    Args:
        text_encoder: config of a :class:`~mmseg_remamber.text.TextEncoder`.
        backbone: config of a module that maps (img, text) to maps and to the text for the head, as
            :class:`~mmseg_remamber.models.StagewiseFusion` does.
        decode_head: config of a :class:`~mmseg_remamber.models.MaskHead`, which owns the losses.
        threshold: probability above which a pixel belongs to the object.
        share_images: in training, compute once for each image of a batch what no text enters.
            Images are shared that stand next to each other and are equal, as a
            ``PictureSampler`` deals them out where nothing changes them at random. The backbone
            must take ``image_index``, as :class:`StagewiseFusion` does. A compiled network shares
            none: each number of images would be another graph.
        predict_dtype: what :meth:`predict` computes in, 'float32', 'bfloat16' or 'float16', by
            :func:`~mmseg_remamber.models.precision.autocast`. Training has its optimiser wrapper
            for that.
        data_preprocessor: config of the data preprocessor.
        init_cfg: initialisation config.

    Attributes:
        cfg: the whole config, where :func:`~mmseg_remamber.models.build.build_model` built it.

    Raises:
        ValueError: for a threshold outside (0, 1), an unknown ``predict_dtype``; from ``predict``
            for one that the device does not have.
    """

    cfg: Config
    text_encoder: TextEncoder
    backbone: nn.Module
    decode_head: MaskHead
    data_preprocessor: nn.Module

    def __init__(
        self,
        *,
        text_encoder: dict,
        backbone: dict,
        decode_head: dict,
        threshold: float = 0.5,
        share_images: bool = False,
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
        self.threshold = threshold
        self.share_images = share_images
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
        goes through :meth:`maps` or :meth:`maps_of_text`.

        Data samples stay outside, so that the network is one graph. Parameters and the keys of
        state dicts stay as they are. A copy of the segmentor is not compiled.

        Args:
            mode, dynamic, fullgraph, backend, options: as in :func:`torch.compile`.
                ``mode='reduce-overhead'`` replays CUDA graphs, one for each size of the input.
                By default the second size of an input is compiled for any size.

        Raises:
            RuntimeError: from torch, for an unknown mode or option.
        """
        for name in _COMPILED:
            method = getattr(type(self), name).__get__(self)
            compiled = torch.compile(
                method,
                mode=mode,
                dynamic=dynamic,
                fullgraph=fullgraph,
                backend=backend,
                options=options,
            )
            setattr(self, name, compiled)

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
        maps = self.maps(img, token_ids, token_mask)
        return self.decode_head.resize(self.decode_head.best_of_maps(maps), img.shape[2:])

    def logits_of_text(self, img: Tensor, text: Text, image_index: Tensor | None = None) -> Tensor:
        """The network after its text encoder, whose features may have been computed before.

        Args:
            img: (B, 3, H, W) normalised float; (N, 3, H, W) with ``image_index``.
            text: B sentences.
            image_index: (B,) int64, the image of each sentence, for a backbone that shares an image
                among its sentences, as :class:`StagewiseFusion` does; None is one image a sentence.

        Returns:
            (B, 1, H, W) float, before the sigmoid.
        """
        maps = self.maps_of_text(img, text, image_index)
        return self.decode_head.resize(self.decode_head.best_of_maps(maps), img.shape[2:])

    def maps(self, img: Tensor, token_ids: Tensor, token_mask: Tensor) -> list[Tensor]:
        """All maps of the head, as its losses take them; arguments as of :meth:`logits`."""
        text = self.text_encoder(token_ids, token_mask)
        return self.decode_head(*self.backbone(img, text))

    def maps_of_text(
        self, img: Tensor, text: Text, image_index: Tensor | None = None
    ) -> list[Tensor]:
        """All maps of the head; arguments as of :meth:`logits_of_text`."""
        shared = {} if image_index is None else dict(image_index=image_index)
        return self.decode_head(*self.backbone(img, text, **shared))

    def extract_feat(self, inputs: Tensor, data_samples: list[SegDataSample]) -> tuple[Tensor, ...]:
        """Maps of the backbone. inputs: (B, 3, H, W) normalised float."""
        maps, _ = self.backbone(inputs, self.text_encoder(*stack_tokens(data_samples)))
        return maps

    def encode_decode(self, inputs: Tensor, batch_data_samples: list[SegDataSample]) -> Tensor:
        """Logits at input size. inputs: (B, 3, H, W) normalised float -> (B, 1, H, W)."""
        return self.logits(inputs, *stack_tokens(batch_data_samples))

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """The losses by name. inputs: (B, 3, H, W) normalised float."""
        label = torch.cat([sample.gt_sem_seg.data for sample in data_samples])
        tokens = stack_tokens(data_samples)
        is_compiled = 'maps' in vars(self)
        if self.share_images and not is_compiled:
            images, index = distinct_images(inputs)
            maps = self.maps_of_text(images, self.text_encoder(*tokens), index)
        else:
            maps = self.maps(inputs, *tokens)
        return self.decode_head.loss_of_maps(maps, label)

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
            size = sample.metainfo.get('ori_shape', logits.shape[1:])
            own = resize_logits(logits, size)
            mask = (own.sigmoid() > self.threshold).to(torch.uint8)
            sample.input_logits = PixelData(data=logits)
            sample.seg_logits = PixelData(data=own)
            sample.pred_sem_seg = PixelData(data=mask)
        return data_samples

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample]) -> Tensor:
        return self.encode_decode(inputs, data_samples)


def distinct_images(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Keep the first of each run of equal images.

    Args:
        inputs: (B, 3, H, W) float.

    Returns:
        Images (N, 3, H, W), and for each of the inputs its place among them, (B,) int64.
    """
    is_new = torch.ones(len(inputs), dtype=torch.bool, device=inputs.device)
    is_new[1:] = (inputs[1:] != inputs[:-1]).flatten(1).any(dim=1)
    return inputs[is_new], is_new.cumsum(0) - 1


def cut_padding(logits: Tensor, sample: SegDataSample) -> Tensor:
    """Cut off what the data preprocessor added. logits: (1, H, W) -> (1, h, w)"""
    left, right, top, bottom = sample.metainfo.get('img_padding_size', (0, 0, 0, 0))
    height, width = logits.shape[1:]
    return logits[:, top : height - bottom, left : width - right]


def resize_logits(logits: Tensor, size: Sequence[int]) -> Tensor:
    """Bring logits bilinearly to the size of an image. logits: (1, h, w) float -> (1, H, W)"""
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
