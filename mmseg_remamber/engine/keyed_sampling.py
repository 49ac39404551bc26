# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Random choices of a training sample (its sentence, its augmentation) as a function of its place.

The generators that a sample's transforms use are seeded by (seed, epoch, position in the epoch).
What they choose then depends neither on the number of workers or processes nor on the batch size,
and a resumed run chooses what the uninterrupted one would have chosen.
"""

from collections.abc import Iterator
from itertools import count, islice
from typing import Any, NamedTuple

from mmengine.dist import get_dist_info
from mmengine.registry import DATA_SAMPLERS, DATASETS
from torch.utils.data import Dataset, Sampler

from .randomness import seeded_cpu_generators

SAMPLES = 0  # first number of a sample's key; iterations have another, so that no key occurs twice


class KeyedIndex(NamedTuple):
    """An access to a dataset: which entry, and the key of its random choices."""

    index: int
    key: tuple[int, ...]


@DATA_SAMPLERS.register_module()
class KeyedSampler(Sampler[KeyedIndex]):
    """Yields the indices of another sampler, each with its key, from any place of an epoch on.

    Args:
        sampler: Config of a sampler that deals its indices out to the processes in turn, as
            mmengine's do, and has a ``seed``.
        dataset, seed: Handed to that sampler.
    """

    def __init__(self, sampler: dict, dataset: Dataset, seed: int | None = None):
        self.sampler = DATA_SAMPLERS.build(sampler, default_args=dict(dataset=dataset, seed=seed))
        self.rank, self.world_size = get_dist_info()
        self.epoch = 0
        self._num_skipped = 0

    @property
    def seed(self) -> int:
        """Seed of the order and of every key; set it before the first index is asked for."""
        return self.sampler.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self.sampler.seed = seed

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next pass."""
        self.epoch = epoch
        self.sampler.set_epoch(epoch)

    def skip(self, num_samples: int) -> None:
        """Leave out the first indices of this process in the next pass; nothing is loaded."""
        self._num_skipped = num_samples

    def __iter__(self) -> Iterator[KeyedIndex]:
        num_skipped, self._num_skipped = self._num_skipped, 0
        positions = count(self.rank, self.world_size)
        key = (self.seed, SAMPLES, self.epoch)
        for index, position in islice(zip(self.sampler, positions), num_skipped, None):
            yield KeyedIndex(index, (*key, position))

    def __len__(self) -> int:
        return len(self.sampler)


@DATASETS.register_module()
class KeyedDataset(Dataset):
    """A dataset whose entries are accessed by :class:`KeyedIndex`.

    It stands in for its dataset: whatever public attribute of it is read or set is the dataset's.
    A hook that sets ``runner.train_dataloader.dataset.pipeline`` therefore changes the pipeline
    that samples go through, as it does without this wrapper.

    Args:
        dataset: The dataset or its config.

    Raises:
        AttributeError: When an attribute is read or set that the dataset does not have: setting
            it would have no effect.
    """

    def __init__(self, dataset: dict | Dataset):
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset

    def __getattr__(self, name: str) -> Any:
        # Only what the dataset shows. Its `__getitems__` would pass the keys by, and a copy that
        # is being unpickled has no dataset yet.
        if name == 'dataset' or name.startswith('_'):
            raise AttributeError(f'{type(self).__name__} has no attribute {name!r}')
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == 'dataset' or name.startswith('_'):
            super().__setattr__(name, value)
        elif hasattr(type(self.dataset), name) or hasattr(self.dataset, name):
            setattr(self.dataset, name, value)
        else:
            raise AttributeError(
                f'{type(self.dataset).__name__} has no {name!r}, so that setting it would have no '
                'effect; set it on the datasets that it joins'
            )

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, place: KeyedIndex) -> Any:
        with seeded_cpu_generators(*place.key):
            return self.dataset[place.index]
