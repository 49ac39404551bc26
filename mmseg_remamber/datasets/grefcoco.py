# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""gRefCOCO: sentences that mean several objects, or none."""

from mmseg.registry import DATASETS

from .refcoco import RefCOCODataset
from .refer.rules import GREFCOCO


@DATASETS.register_module()
class GRefCOCODataset(RefCOCODataset):
    """Sentences that mean one object, several or none (Liu et al., GRES, CVPR 2023).

    Reads ``<data_root>/<dataset>/grefs(<split_by>).json`` (or ``.p``), whose refs have a list
    for ``ann_id``: ``[-1]``, or an empty one, where there is no target. Refs without any
    sentence, of which the released file has some, are left out, and the log says how many.

    Entries have, in place of ``segmentation``, ``segmentations``: a list of what that would be
    of each target, empty where there is none; further ``no_target`` (bool), and ``ann_id`` is a
    list. Arguments and errors are those of :class:`RefCOCODataset`, without
    ``permute_sentences``.
    """

    RULES = GREFCOCO
