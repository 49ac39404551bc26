# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What the published referring datasets consist of.

Only figures that could be found in print are here; a count that nobody has published is None and
is not checked. Refs and images: TensorFlow Datasets' catalogue of the REFER data (ref_coco).
Sentences: as papers on these datasets report them; the sums of the val and test splits are also
those of Ref-L4 (Chen et al., 2024). No checksum was found published for any of the files.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mmseg_remamber.datasets.refer.rules import GREFCOCO, REFER, RefRules


@dataclass(frozen=True)
class Counts:
    """Size of one split; None where no figure is published.

    Attributes:
        refs: Objects referred to (gRefCOCO: sets of objects).
        sentences: Referring expressions.
        images: Distinct images.
    """

    refs: int | None = None
    sentences: int | None = None
    images: int | None = None


@dataclass(frozen=True)
class PublishedDataset:
    """One dataset of the family.

    Attributes:
        img_dir: Folder of its images below the data root, as the configs have it.
        partitions: Whose split -> split -> its size; an empty mapping where the names of the
            splits are known to vary between releases.
        rules: Those of the dataset class that the configs read it by.
    """

    img_dir: str
    partitions: Mapping[str, Mapping[str, Counts]]
    rules: RefRules = REFER


_COCO = 'images/train2014'

PUBLISHED: Mapping[str, PublishedDataset] = {
    'refcoco': PublishedDataset(
        img_dir=_COCO,
        partitions={
            'unc': {
                'train': Counts(42404, 120624, 16994),
                'val': Counts(3811, 10834, 1500),
                'testA': Counts(1975, 5657, 750),
                'testB': Counts(1810, 5095, 750),
            },
            'google': {
                'train': Counts(40000, None, 19213),
                'val': Counts(5000, None, 4559),
                'test': Counts(5000, None, 4527),
            },
        },
    ),
    'refcoco+': PublishedDataset(
        img_dir=_COCO,
        partitions={
            'unc': {
                'train': Counts(42278, 120191, 16992),
                'val': Counts(3805, 10758, 1500),
                'testA': Counts(1975, 5726, 750),
                'testB': Counts(1798, 4889, 750),
            },
        },
    ),
    'refcocog': PublishedDataset(
        img_dir=_COCO,
        partitions={
            'umd': {
                'train': Counts(42226, 80512, 21899),
                'val': Counts(2573, 4896, 1300),
                'test': Counts(5023, 9602, 2600),
            },
            'google': {
                'train': Counts(44822, 85474, 24698),
                'val': Counts(5000, 9536, 4650),
            },
        },
    ),
    'grefcoco': PublishedDataset(img_dir=_COCO, partitions={'unc': {}}, rules=GREFCOCO),
    'refclef': PublishedDataset(
        img_dir='images/saiapr_tc-12',
        partitions={'unc': {}, 'berkeley': {}},
    ),
}


def published(dataset: str) -> PublishedDataset:
    """Look a dataset up in :data:`PUBLISHED`.

    Raises:
        ValueError: Not one of the published datasets; names them.
    """
    if dataset not in PUBLISHED:
        raise ValueError(f'dataset must be one of {sorted(PUBLISHED)}, got {dataset!r}')
    return PUBLISHED[dataset]
