# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""One sample of a test set, and what a model makes of it."""

from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset, Compose, pseudo_collate
from mmseg.structures import SegDataSample
from torch import nn

from mmseg_remamber.apis.export import tokenize_step
from mmseg_remamber.datasets.tokenizer import load_tokenizer


def predict_sample(model: nn.Module, dataset: BaseDataset, index: int) -> SegDataSample:
    """The sample with its prediction, as :meth:`ReferringSegmentor.predict` gives it."""
    (sample,) = model.test_step(pseudo_collate([dataset[index]]))
    return sample


def own_sample(
    model: nn.Module, image: str | Path, text: str, size: tuple[int, int] | None = None
) -> tuple[dict, np.ndarray]:
    """A picture and a sentence of one's own, through the steps of the model's test pipeline.

    Args:
        model: a segmentor with its config as ``model.cfg``.
        image: path of the picture.
        text: the sentence.
        size: height and width that the picture is resized to, in place of the pipeline's.

    Returns:
        What ``model.data_preprocessor`` makes of it, a batch of one; and the picture at the size
        that the model sees, (H, W, 3) uint8 RGB.
    """
    steps = [
        step
        for step in model.cfg.test_dataloader.dataset.pipeline
        if step['type'] not in ('ChooseSentence', 'LoadRefMask')
        and not (size is not None and step['type'] == 'Resize')
    ]
    if size is not None:
        resize = dict(type='Resize', scale=size[::-1], keep_ratio=False, backend='pillow')
        steps.insert(1, resize)
    sample = Compose(steps)(dict(img_path=str(image), text=text))
    seen = sample['inputs'].numpy()[::-1].transpose(1, 2, 0)
    return model.data_preprocessor(pseudo_collate([sample]), training=False), seen.copy()


def words_of(model: nn.Module, batch: dict) -> list[str]:
    """The tokens that the model reads of a batch of one, without padding, as people write them."""
    sample = batch['data_samples'][0]
    tokenizer = load_tokenizer(tokenize_step(model).get('tokenizer'))
    ids = sample.token_ids[sample.token_mask.bool()].tolist()
    names = {tokenizer.bos_token_id: '<start>', tokenizer.eos_token_id: '<end>'}
    return [names.get(i, tokenizer.decode([i]).strip()) for i in ids]


def spread(total: int, num: int) -> list[int]:
    """``num`` indices (or all, if fewer) evenly over ``range(total)``."""
    return np.linspace(0, total - 1, min(num, total)).round().astype(int).tolist()
