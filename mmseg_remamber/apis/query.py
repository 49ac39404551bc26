# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The one way from a picture and a sentence to a batch, by a model's own test pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmseg.registry import TRANSFORMS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmseg_remamber.models import ReferringSegmentor
from mmseg_remamber.text import load_tokenizer

from .pictures import Picture, PictureInput, load_picture

# steps of a test pipeline that read a dataset, or that a query does itself
_OTHER_STEPS = ('LoadRefImage', 'ChooseSentence', 'LoadRefMask', 'PackRefSegInputs', 'TokenizeText')


@dataclass(frozen=True, eq=False)
class PreparedPicture:
    """A picture as the network takes it.

    Attributes:
        number: of the picture among those that are asked about, from 1 on.
        picture: as it was read.
        inputs: (3, h, w) uint8 BGR.
    """

    number: int
    picture: Picture
    inputs: Tensor

    @property
    def rgb(self) -> np.ndarray:
        """(h, w, 3) uint8 RGB."""
        return np.ascontiguousarray(self.inputs.flip(0).permute(1, 2, 0).numpy())


@dataclass(frozen=True, eq=False)
class Tokens:
    """A sentence as the text encoder takes it.

    Attributes:
        text: the sentence.
        token_ids: (T,) int64.
        token_mask: (T,) bool, False on padding.
        num_tokens: of the whole sentence, with its special tokens.
        truncated: whether there are more of them than T.
    """

    text: str
    token_ids: Tensor
    token_mask: Tensor
    num_tokens: int
    truncated: bool


class Query:
    """Prepares pictures and sentences for a model, in the steps of its config's test pipeline.

    Args:
        model: the segmentor, with its config as ``model.cfg``.
        img_size: (width, height) that pictures are resized to; None is that of the config.

    Attributes:
        size: (width, height) that pictures are resized to, of ``Resize`` in the test pipeline, else
            the config's ``img_size``; None takes them as they are.

    Raises:
        ValueError: when the config has no test pipeline, or one without ``TokenizeText``.
    """

    def __init__(self, model: ReferringSegmentor, img_size: tuple[int, int] | None = None):
        self.model = model
        steps = _steps_of(model.cfg)
        self._tokenise = TRANSFORMS.build(steps['TokenizeText'])
        resize = steps.pop('Resize', dict(type='Resize', keep_ratio=False, backend='pillow'))
        self.size = img_size or resize.get('scale') or model.cfg.get('img_size')
        others = [step for name, step in steps.items() if name not in _OTHER_STEPS]
        if self.size is not None:
            others = [dict(resize, scale=tuple(self.size)), *others]
        self._prepare = Compose([TRANSFORMS.build(step) for step in others])

    @property
    def num_tokens(self) -> int:
        """T, tokens of each sentence, padding included."""
        return self._tokenise.max_tokens

    @property
    def keeps_end(self) -> bool:
        """Whether a sentence that is cut keeps its end token."""
        return self._tokenise.cut == 'words'

    @property
    def tokenizer(self):
        """The tokenizer, of transformers."""
        return load_tokenizer(self._tokenise.tokenizer)

    def picture(self, source: PictureInput, number: int = 1) -> PreparedPicture:
        """Read a picture, as :func:`load_picture`, and bring it to the network's size."""
        picture = load_picture(source, number)
        size = picture.image.shape[:2]
        results = self._prepare(dict(img=picture.image, img_shape=size, ori_shape=size))
        array = np.ascontiguousarray(results['img'].transpose(2, 0, 1))
        return PreparedPicture(number, picture, torch.from_numpy(array))

    def tokens(self, text: str) -> Tokens:
        """Tokenise a sentence.

        Raises:
            ValueError: when it has no word, or the pipeline's tokenizer is not of the model's text
                encoder.
        """
        results = self._tokenise(dict(text=text))
        self.model.text_encoder.check_ids(results['token_ids'][None])
        names = ('token_ids', 'token_mask', 'num_tokens', 'truncated')
        return Tokens(text, *(results[name] for name in names))

    def words(self, tokens: Tokens) -> list[str]:
        """The tokens that the model reads, without padding, as people write them."""
        tokenizer = self.tokenizer
        names = {
            tokenizer.bos_token_id: '<start>',
            tokenizer.cls_token_id: '<start>',
            tokenizer.eos_token_id: '<end>',
            tokenizer.sep_token_id: '<end>',
        }
        ids = tokens.token_ids[tokens.token_mask].tolist()
        return [names.get(i, tokenizer.decode([i]).strip()) for i in ids]

    def batch(self, pictures: Sequence[PreparedPicture], sentences: Sequence[Tokens] = ()) -> dict:
        """What the model's data preprocessor makes of pictures, all of one size.

        Args:
            pictures: as :meth:`picture` returns them.
            sentences: one for each picture, or none at all.

        Returns:
            ``inputs``, (B, 3, H, W) normalised float, and ``data_samples``.
        """
        samples = []
        for picture in pictures:
            own, seen = picture.picture.image.shape[:2], tuple(picture.inputs.shape[1:])
            samples.append(SegDataSample(metainfo=dict(ori_shape=own, img_shape=seen)))
        for sample, tokens in zip(samples, sentences):
            sample.set_data(dict(token_ids=tokens.token_ids, token_mask=tokens.token_mask))
        data = dict(inputs=[picture.inputs for picture in pictures], data_samples=samples)
        return self.model.data_preprocessor(data, training=False)


def _steps_of(cfg: Config) -> dict[str, dict]:
    """The steps of the test pipeline by their types, in order."""
    try:
        steps = cfg.test_dataloader.dataset.pipeline
    except AttributeError as error:
        raise ValueError('the config has no test_dataloader.dataset.pipeline') from error
    by_type = {step['type']: dict(step) for step in steps}
    if 'TokenizeText' not in by_type:
        raise ValueError(f'the test pipeline has no TokenizeText, only {list(by_type)}')
    return by_type
