# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""From pictures and sentences to masks."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.infer import BaseInferencer
from rich.progress import track
from torch import Tensor, nn

from mmseg_remamber.configuration import compile_options, find_config, load_config
from mmseg_remamber.datasets.origin import Origin
from mmseg_remamber.models.precision import autocast, keep_weights
from mmseg_remamber.models.segmentor import cut_padding, resize_logits
from mmseg_remamber.text import Text
from mmseg_remamber.visualization.referred import draw_masks

from .init_model import init_model, origin_of_model
from .pictures import SUFFIXES, Picture, PictureInput, list_pictures
from .query import PreparedPicture, Query, Tokens
from .results import ReferredMask, ResultWriter


@dataclass(frozen=True)
class _Sentence:
    """A sentence, and what the text encoder makes of it, without the axis of the batch."""

    tokens: Tokens
    features: Text


class Failure(NamedTuple):
    """A picture that could not be read.

    Attributes:
        number: of the picture among the inputs, from 1 on.
        name: its path, or its number where it has none.
        error: what is wrong with it.
    """

    number: int
    name: str
    error: str


class Doubt(NamedTuple):
    """A picture that cannot be of the kind that the model was trained on.

    Attributes:
        number: of the picture among the inputs, from 1 on.
        name: its path, or its number where it has none.
        reason: what the model was trained on, and what follows.
    """

    number: int
    name: str
    reason: str


class RefSegInferencer(BaseInferencer):
    """Masks of sentences in pictures, in the manner of MMSeg's inferencer.

    Each sentence is encoded once in a call, and so is each picture as far as no text enters; a
    forward pass holds sentences of several pictures. Pictures are read, drawn and written one after
    the other, so that a folder of any length fits into memory but for its masks.

    Args:
        model: path of a config, a config, or a model's name in the metafile; None takes the config
            that the checkpoint carries.
        weights: path or URL of a checkpoint; None leaves the model untrained and warns.
        device: None is a GPU where there is one.
        img_size: (width, height) that pictures are resized to; None is that of the config: of
            ``Resize`` in its test pipeline, else its ``img_size``.
        dtype: 'float32', 'bfloat16' or 'float16', which the model computes in by autocast; None is
            its own ``predict_dtype``.
        compile: True, or a dict of options of ``torch.compile``: compile the network after the text
            encoder when it first runs. ``dict(mode='reduce-overhead')`` replays CUDA graphs, which
            pays where ``img_size`` and the number of sentences stay the same.
        show_progress: draw a progress bar.

    Attributes:
        trained_on: the :class:`~mmseg_remamber.datasets.origin.Origin` of the model's training
            data; None where the checkpoint does not record it.

    Raises:
        FileNotFoundError: no such config, name or checkpoint.
        ValueError: when the checkpoint is of another model, has no config, or records an origin
            that is none; the config has no test pipeline; the device is not there, or does not
            have the type.
        TypeError: when ``compile`` is no such value.
        RuntimeError: from torch, for an unknown mode or option of compiling.

    Examples:
        >>> inferencer = RefSegInferencer(weights='quickstart/work/iter_1200.pth')
        >>> found = inferencer('picture.jpg', ['the red circle', 'the square'], out_dir='out')
        >>> found['predictions'][0][1].mask  # of the square: (H, W) bool
    """

    def __init__(
        self,
        model: str | Path | Config | None = None,
        weights: str | Path | None = None,
        *,
        device: str | None = None,
        img_size: tuple[int, int] | None = None,
        dtype: str | None = None,
        compile: bool | dict | None = False,
        show_progress: bool = True,
    ):
        _check_device(device)
        self.img_size = img_size
        options = compile_options(compile)
        if isinstance(model, (str, Path)):
            model = load_config(find_config(str(model)))
        super().__init__(
            model, weights=weights, device=device, scope='mmseg', show_progress=show_progress
        )
        self.cfg = self.model.cfg
        self.trained_on = origin_of_model(self.model)
        self.device = next(self.model.parameters()).device
        self.dtype = self.model.predict_dtype if dtype is None else dtype
        autocast(self.dtype, self.device)  # refuses what the device does not have
        keep_weights(self.model, self.dtype)
        if options is not None:
            self.model.compile(**options)

    def __call__(
        self,
        inputs: PictureInput | Sequence[PictureInput],
        texts: str | Sequence[str] | Sequence[Sequence[str]],
        *,
        batch_size: int = 8,
        threshold: float | None = None,
        return_vis: bool = False,
        out_dir: str | Path | None = None,
        keep_going: bool = False,
    ) -> dict[str, list]:
        """Find what the sentences mean.

        Args:
            inputs: one or a list of: path or URL of an image, folder of images, array
                ((H, W, 3) uint8 BGR; see :func:`load_picture`), PIL image.
            texts: a sentence or several, asked of each picture; or a list of sentences for each
                picture.
            batch_size: sentences in a forward pass.
            threshold: probability above which a pixel belongs to the object; the model's own by
                default.
            return_vis: also return the pictures with their masks and sentences.
            out_dir: folder for these pictures, masks and a COCO file (:class:`ResultWriter`). What
                was found so far is whole there whatever ends the call.
            keep_going: list pictures that fail, and go on with the others.

        Returns:
            dict of ``predictions``, for each picture a list of :class:`ReferredMask`, one a
            sentence; ``visualization``, for each picture (h, w, 3) uint8 RGB, or nothing without
            ``return_vis``; ``failures``, the :class:`Failure` of each picture that has no
            predictions, with ``keep_going``; and ``doubts``, the :class:`Doubt` of each picture
            that cannot be of the kind that the model was trained on, which is warned of as well.

        Raises:
            FileNotFoundError, TypeError, ValueError: for a picture, as :func:`load_picture`.
            ValueError: for a sentence without a word, as many lists of sentences as there are no
                pictures, a batch size below 1, a threshold outside (0, 1).
            FloatingPointError: when the network's result is no number.
            OSError: when ``out_dir`` cannot be written; found out before anything is computed.
        """
        threshold = self.model.threshold if threshold is None else threshold
        if not 0 < threshold < 1:
            raise ValueError(f'threshold must be in (0, 1), got {threshold!r}')
        if batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, got {batch_size!r}')
        pictures = list_pictures(inputs)
        asked = _texts_of_pictures(texts, len(pictures))
        writer = None if out_dir is None else ResultWriter(out_dir, self.trained_on)
        predictions: list[list[ReferredMask]] = [[] for _ in pictures]
        visualization: list[np.ndarray] = []
        failures: list[Failure] = []
        doubts: dict[int, Doubt] = {}
        found = self._find(
            pictures, asked, batch_size, threshold, failures if keep_going else None, doubts
        )
        shown = track(
            found,
            description='Inference',
            total=sum(map(len, asked)),
            disable=not self.show_progress,
        )
        try:
            for number, picture, mask in shown:
                masks = predictions[number - 1]
                masks.append(mask)
                is_last = len(masks) == len(asked[number - 1])
                if is_last and (writer is not None or return_vis):
                    (overlay,) = self.visualize([picture], [masks])
                    if return_vis:
                        visualization.append(overlay)
                    if writer is not None:
                        doubt = doubts.get(number)
                        writer.add(picture.name, masks, overlay, doubt and doubt.reason)
        finally:
            if writer is not None:
                writer.close()
        return self.postprocess(predictions, visualization) | dict(
            failures=failures, doubts=list(doubts.values())
        )

    def visualize(
        self, inputs: Sequence[Picture], preds: Sequence[Sequence[ReferredMask]]
    ) -> list[np.ndarray]:
        """Draw the masks of each picture, as :func:`draw_masks`."""
        return [
            draw_masks(
                np.ascontiguousarray(picture.image[..., ::-1]),
                [found.mask for found in masks],
                [found.caption for found in masks],
            )
            for picture, masks in zip(inputs, preds, strict=True)
        ]

    def postprocess(
        self, preds: list[list[ReferredMask]], visualization: list[np.ndarray]
    ) -> dict[str, list]:
        """What a call returns, but for failures and doubts."""
        return dict(predictions=preds, visualization=visualization)

    def preprocess(self, inputs: Iterable[PictureInput]) -> Iterator[PreparedPicture]:
        """Read the pictures, one at a time, and bring them to the network's size."""
        for number, source in enumerate(inputs, 1):
            yield self.pipeline.picture(source, number)

    @torch.no_grad()
    def forward(self, inputs: Sequence[tuple[PreparedPicture, _Sentence]]) -> list[Tensor]:
        """Logits of each sentence in its picture, (1, h, w) float, their padding cut off."""
        pictures = list({id(picture): picture for picture, _ in inputs}.values())
        data = self.pipeline.batch(pictures)
        places = {id(picture): place for place, picture in enumerate(pictures)}
        index = [places[id(picture)] for picture, _ in inputs]
        shared = None
        if len(pictures) < len(inputs):
            shared = torch.tensor(index, device=self.device)
        text = Text(*map(torch.stack, zip(*(sentence.features for _, sentence in inputs))))
        with autocast(self.dtype, self.device):
            batch = self.model.logits_of_text(data['inputs'], text, shared)
        return [
            cut_padding(logits, data['data_samples'][place])
            for logits, place in zip(batch.float(), index, strict=True)
        ]

    def _find(
        self,
        pictures: Sequence[PictureInput],
        asked: Sequence[Sequence[str]],
        batch_size: int,
        threshold: float,
        failures: list[Failure] | None,
        doubts: dict[int, Doubt],
    ) -> Iterator[tuple[int, Picture, ReferredMask]]:
        """Picture by picture, sentence by sentence, each with its picture's number from 1 on.

        A picture that cannot be read joins the failures, where there is a list of them; one of
        another kind than the model knows joins the doubts, by its number.
        """
        unique = dict.fromkeys(text for texts in asked for text in texts)
        sentences = self._encode(list(unique), batch_size)

        def pairs() -> Iterator[tuple[PreparedPicture, _Sentence]]:
            for number, (source, texts) in enumerate(zip(pictures, asked, strict=True), 1):
                try:
                    prepared = self.pipeline.picture(source, number)
                except (OSError, TypeError, ValueError) as error:
                    if failures is None:
                        raise
                    failures.append(Failure(number, _name_of(source, number), str(error)))
                    continue
                reason = doubt_of(self.trained_on, prepared.picture)
                if reason is not None:
                    name = _name_of(source, number)
                    doubts[number] = Doubt(number, name, reason)
                    warnings.warn(f'{name}: {reason}', stacklevel=2)
                for text in texts:
                    yield prepared, sentences[text]

        for batch in _batches(pairs(), batch_size):
            for (prepared, sentence), logits in zip(batch, self.forward(batch), strict=True):
                mask = _to_mask(logits, prepared.picture, sentence.tokens, threshold)
                yield prepared.number, prepared.picture, mask

    @torch.no_grad()
    def _encode(self, texts: list[str], batch_size: int) -> dict[str, _Sentence]:
        """Each text after the text encoder."""
        tokens = [self.pipeline.tokens(text) for text in texts]
        sentences = {}
        for start in range(0, len(texts), batch_size):
            part = tokens[start : start + batch_size]
            token_ids = torch.stack([item.token_ids for item in part]).to(self.device)
            token_mask = torch.stack([item.token_mask for item in part]).to(self.device)
            with autocast(self.dtype, self.device):
                encoded = self.model.text_encoder(token_ids, token_mask)
            for item, *features in zip(part, *encoded):
                sentences[item.text] = _Sentence(item, Text(*features))
        for item in tokens:
            if item.truncated:
                warnings.warn(
                    f'the model reads the first {len(item.token_mask)} of the '
                    f'{item.num_tokens} tokens of {item.text[:60]!r}...',
                    stacklevel=2,
                )
        return sentences

    def _init_model(
        self, cfg: Config | ConfigDict, weights: str | None, device: str = 'cpu'
    ) -> nn.Module:
        return init_model(cfg if cfg else None, weights, device)

    def _init_collate(self, cfg: Config | ConfigDict) -> Callable:
        """Unused: batches are made in :meth:`forward`. mmengine's own looks into a registry that
        mmseg does not have, and warns."""
        return pseudo_collate

    def _init_pipeline(self, cfg: Config | ConfigDict) -> Query:
        """The query in place of a pipeline: pictures and sentences are prepared apart."""
        return Query(self.model, self.img_size)


def doubt_of(trained_on: Origin | None, picture: Picture) -> str | None:
    """Why a model's masks of a picture are not to be trusted; None where nothing speaks against
    them."""
    if trained_on is None or trained_on.is_of_kind(picture.image):
        return None
    return (
        f'the model was trained on {trained_on.pictures or trained_on.name}, and this picture is '
        'none of them: do not trust its masks'
    )


def _name_of(source: PictureInput, number: int) -> str:
    return str(source) if isinstance(source, (str, Path)) else f'picture {number}'


def _check_device(device: str | None) -> None:
    if device is None:
        return
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(f'device must be such as cpu or cuda:0, got {device!r}') from error
    if kind == 'cuda' and not torch.cuda.is_available():
        raise ValueError(f'device {device!r}: this torch finds no GPU')


def _texts_of_pictures(
    texts: str | Sequence[str] | Sequence[Sequence[str]], num_pictures: int
) -> list[list[str]]:
    """The sentences of each picture, checked."""
    entries = [texts] if isinstance(texts, str) else list(texts)
    sentences = [entry for entry in entries if isinstance(entry, str)]
    if not entries:
        raise ValueError('texts is empty: no sentence')
    if len(sentences) == len(entries):
        asked = [sentences] * num_pictures
    elif sentences:
        raise ValueError('texts must be sentences, or a list of sentences for each picture')
    elif len(entries) != num_pictures:
        raise ValueError(f'texts has lists for {len(entries)} pictures, there are {num_pictures}')
    else:
        asked = [list(entry) for entry in entries]
    for number, entry in enumerate(asked, 1):
        if not entry:
            raise ValueError(f'texts has no sentence for picture {number}')
        for text in entry:
            if not text.strip():
                raise ValueError(f'a sentence must have a word, got {text!r}')
            # what a shell makes of *.jpg
            if text.lower().endswith(SUFFIXES) and Path(text).is_file():
                raise ValueError(
                    f'the sentence {text!r} is a picture: several are given as a list or folder'
                )
    return asked


def _batches(
    pairs: Iterable[tuple[PreparedPicture, _Sentence]], batch_size: int
) -> Iterator[list[tuple[PreparedPicture, _Sentence]]]:
    """Consecutive pairs, those of pictures of one size at a time."""
    batch: list[tuple[PreparedPicture, _Sentence]] = []
    for pair in pairs:
        if batch and pair[0].inputs.shape != batch[0][0].inputs.shape:
            yield batch
            batch = []
        batch.append(pair)
        if len(batch) == batch_size:
            yield batch
            batch = []
    if batch:
        yield batch


def _to_mask(logits: Tensor, picture: Picture, tokens: Tokens, threshold: float) -> ReferredMask:
    """Threshold at the picture's own size. logits: (1, h, w) float"""
    if not logits.isfinite().all():
        raise FloatingPointError(
            f'the result of {tokens.text[:60]!r} in picture {picture.name!r} is no number: '
            "weights that are not finite, or a type whose range they exceed; try dtype='float32'"
        )
    probability = resize_logits(logits, picture.image.shape[:2])[0].sigmoid()
    mask = probability > threshold
    score = float(probability[mask].mean()) if mask.any() else 0.0
    return ReferredMask(
        text=tokens.text,
        mask=mask.cpu().numpy(),
        score=score,
        num_tokens=tokens.num_tokens,
        truncated=tokens.truncated,
    )
