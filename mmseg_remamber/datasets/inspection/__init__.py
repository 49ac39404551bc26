# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Looking at datasets as files: whether a download is whole, what it holds, what leaks."""

from .download import Finding, check_download, check_images
from .layout import (
    SplitName,
    find_refs_file,
    list_datasets,
    list_split_by,
    parse_split_name,
    read_instances,
    read_refs,
    reading_order,
    rules_of,
    split_refs,
    target_ids,
)
from .leakage import MEASURES, Leakage, compare, compare_all, list_splits, read_splits
from .published import PUBLISHED, Counts, PublishedDataset, published
from .statistics import SplitStatistics, split_statistics
from .subset import choose_refs, reduce_instances

__all__ = [
    'MEASURES',
    'PUBLISHED',
    'Counts',
    'Finding',
    'Leakage',
    'PublishedDataset',
    'SplitName',
    'SplitStatistics',
    'check_download',
    'check_images',
    'choose_refs',
    'compare',
    'compare_all',
    'find_refs_file',
    'list_datasets',
    'list_split_by',
    'list_splits',
    'parse_split_name',
    'published',
    'read_instances',
    'read_refs',
    'read_splits',
    'reading_order',
    'reduce_instances',
    'rules_of',
    'split_refs',
    'split_statistics',
    'target_ids',
]
