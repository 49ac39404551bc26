# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Training order in which the objects of a picture come together."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Dataset, Sampler


@DATA_SAMPLERS.register_module()
class PictureSampler(Sampler[int]):
    """Deals out a dataset picture by picture, endlessly, several objects of each in a row.

    In a batch that holds several objects of a picture each is what the sentences of the others do
    not mean: a model that starts from random weights finds out what words tell apart from fewer
    samples than where a batch holds one object of each of many pictures.

    Each pass takes every picture once, in a new order, and of each picture up to
    ``refs_per_picture`` of its entries, chosen anew. Entries are dealt out to the processes in
    turn, so that the batches of all of them together do not depend on their number.

    Args:
        dataset: Its ``get_data_info`` gives dicts with ``img_path``; one entry a ref.
        refs_per_picture: The most entries of a picture in a row, at least 1.
        shuffle: False keeps the order of the dataset.
        seed: Of every order; None is one that all processes agree on.

    Raises:
        ValueError: ``refs_per_picture`` under 1.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        refs_per_picture: int = 3,
        shuffle: bool = True,
        seed: int | None = None,
    ):
        if refs_per_picture < 1:
            raise ValueError(f'refs_per_picture must be at least 1, got {refs_per_picture!r}')
        self.refs_per_picture = refs_per_picture
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.rank, self.world_size = get_dist_info()
        entries: dict[str, list[int]] = {}
        for index in range(len(dataset)):
            entries.setdefault(dataset.get_data_info(index)['img_path'], []).append(index)
        self._entries_by_picture = [np.array(indices) for indices in entries.values()]
        self._size = len(dataset)

    def __iter__(self) -> Iterator[int]:
        return islice(self._entries(), self.rank, None, self.world_size)

    def __len__(self) -> int:
        """Give the number of entries, of which a pass may take fewer."""
        return self._size

    def set_epoch(self, epoch: int) -> None:
        """Nothing: there are no epochs, as in mmengine's ``InfiniteSampler``."""

    def _entries(self) -> Iterator[int]:
        rng = np.random.default_rng(self.seed)
        pictures = self._entries_by_picture
        while pictures:
            order = rng.permutation(len(pictures)) if self.shuffle else range(len(pictures))
            for number in order:
                indices = pictures[number]
                if self.shuffle:
                    indices = rng.permutation(indices)
                yield from indices[: self.refs_per_picture].tolist()
