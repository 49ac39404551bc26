# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Random generators as functions of a key, so that no state has to be saved."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_generators(*key: int) -> None:
    """Seed Python's, numpy's and torch's global generators, those of every device included.

    Args:
        key: Integers, none negative; different keys give unrelated streams.
    """
    python, numpy_seed, torch_seed = _seeds(key)
    random.seed(python)
    np.random.seed(numpy_seed)  # noqa: NPY002  what transforms use
    torch.manual_seed(torch_seed)


@contextmanager
def seeded_cpu_generators(*key: int) -> Iterator[None]:
    """Seed the CPU's generators as :func:`seed_generators` does, and put them back afterwards."""
    python, numpy_seed, torch_seed = _seeds(key)
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        random.seed(python)
        np.random.seed(numpy_seed)  # noqa: NPY002
        torch.default_generator.manual_seed(torch_seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


def _seeds(key: tuple[int, ...]) -> tuple[int, int, int]:
    words = np.random.SeedSequence(key).generate_state(3, np.uint32)
    return tuple(words.tolist())
