# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Figures of a dataset: counts, lengths of sentences, sizes of masks."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmseg_remamber.datasets.masks import unite_masks
from mmseg_remamber.datasets.refer.checker import find_image, find_segmentation
from mmseg_remamber.datasets.refer.fields import InvalidRef

from .layout import target_ids

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True)
class SplitStatistics:
    """Figures of one split, by sentence and by ref.

    Attributes:
        num_refs, num_images: How many there are.
        sentences_per_ref: (refs,) int.
        words, tokens: (sentences,) int; tokens count the start and end token, before any cut.
        mask_shares: (refs,) float in [0, 1], the mask's share of the image; 0 for no target.
        targets_per_ref: (refs,) int, objects meant.
        vocabulary: Word, in lower case -> how often it occurs.
        max_tokens: T that truncation is counted at.
        truncated: ref_id, sent_id, text and tokens (int) of each sentence of more than T tokens.
    """

    num_refs: int
    num_images: int
    sentences_per_ref: np.ndarray
    words: np.ndarray
    tokens: np.ndarray
    mask_shares: np.ndarray
    targets_per_ref: np.ndarray
    vocabulary: Counter
    max_tokens: int
    truncated: list[dict]

    def as_dict(self, num_words: int = 50) -> dict:
        """Convert it to plain data for JSON, with the ``num_words`` most frequent words."""
        return dict(
            refs=self.num_refs,
            sentences=len(self.words),
            images=self.num_images,
            sentences_per_ref=summary(self.sentences_per_ref),
            words_per_sentence=summary(self.words),
            tokens_per_sentence=summary(self.tokens),
            mask_share=summary(self.mask_shares),
            targets_per_ref=summary(self.targets_per_ref),
            refs_without_target=int((self.targets_per_ref == 0).sum()),
            distinct_words=len(self.vocabulary),
            frequent_words=dict(self.vocabulary.most_common(num_words)),
            max_tokens=self.max_tokens,
            truncation_rate=len(self.truncated) / max(len(self.words), 1),
            truncated=self.truncated,
        )


def summary(values: np.ndarray) -> dict[str, float]:
    """Summarise (n,) numbers, n at least 1, by their mean and quantiles."""
    quantiles = np.percentile(values, [0, 5, 50, 95, 100])
    names = ('min', 'p5', 'median', 'p95', 'max')
    return dict(mean=float(values.mean()), **dict(zip(names, map(float, quantiles))))


def split_statistics(
    refs: Sequence[dict],
    images: Mapping[int, dict],
    annotations: Mapping[int | str, dict],
    *,
    max_tokens: int = 20,
    tokenizer: str | None = None,
) -> SplitStatistics:
    """Measure the refs of one split.

    Args:
        refs: At least one, as :func:`read_refs` gives them.
        images, annotations: Records by id, as :func:`load_instances` gives them.
        max_tokens: T, with start and end token.
        tokenizer: Local folder of a transformers tokenizer; None is CLIP's.

    Raises:
        ValueError: No refs, or one whose image or object is not there or cannot be used, which
            names the ref and says why.
    """
    if not refs:
        raise ValueError('refs is empty: nothing to measure')
    sentences = [
        (ref['ref_id'], sentence['sent_id'], sentence['sent'])
        for ref in refs
        for sentence in ref['sentences']
    ]
    texts = [text for _, _, text in sentences]
    words = [_WORD.findall(text.lower()) for text in texts]
    # takes seconds to import, and nothing else of inspection needs it
    from mmseg_remamber.text import load_tokenizer

    # longer than a model's own limit is what is being measured: no truncation, no warning
    encoded = load_tokenizer(tokenizer)(texts, truncation=False, verbose=False)
    tokens = np.array([len(ids) for ids in encoded['input_ids']])
    truncated = [
        dict(ref_id=ref_id, sent_id=sent_id, text=text, tokens=int(length))
        for (ref_id, sent_id, text), length in zip(sentences, tokens)
        if length > max_tokens
    ]
    return SplitStatistics(
        num_refs=len(refs),
        num_images=len({ref['image_id'] for ref in refs}),
        sentences_per_ref=np.array([len(ref['sentences']) for ref in refs]),
        words=np.array([len(found) for found in words]),
        tokens=tokens,
        mask_shares=np.array([_mask_share(ref, images, annotations) for ref in refs]),
        targets_per_ref=np.array([len(target_ids(ref)) for ref in refs]),
        vocabulary=Counter(word for found in words for word in found),
        max_tokens=max_tokens,
        truncated=truncated,
    )


def _mask_share(ref: dict, images: Mapping, annotations: Mapping) -> float:
    """Measure the share of the image under the union of all that the ref means."""
    name = f'ref {ref["ref_id"]}'
    try:
        image = find_image(images, ref['image_id'])
        segmentations = [
            find_segmentation(annotations, ann_id, image) for ann_id in target_ids(ref)
        ]
    except InvalidRef as e:
        raise ValueError(f'{name}: {e}') from e
    mask = unite_masks(segmentations, image['height'], image['width'], name, refuse_empty=True)
    return np.count_nonzero(mask) / mask.size
