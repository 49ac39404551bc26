# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Objects of a picture come together; how a run with them resumes is in test_resume.py."""

from itertools import groupby, islice
from unittest.mock import patch

import pytest

from mmseg_remamber.engine import KeyedSampler, PictureSampler

# pictures of 4, 1, 3 and 2 refs, which do not lie together in the file
PICTURES = ['a', 'c', 'b', 'a', 'c', 'd', 'a', 'c', 'd', 'a']


class Refs:
    def __len__(self):
        return len(PICTURES)

    def get_data_info(self, index):
        return dict(img_path=PICTURES[index], ref_id=index)


def take(sampler, count):
    return list(islice(iter(sampler), count))


@pytest.mark.parametrize(('refs', 'a_pass'), [(1, 4), (2, 7), (3, 9), (4, 10), (9, 10)])
def test_a_pass_has_every_picture_once_and_its_refs_in_a_row(refs, a_pass):
    sampler = PictureSampler(Refs(), refs_per_picture=refs, seed=3)
    indices = take(sampler, 20 * a_pass)
    orders = set()
    for start in range(0, len(indices), a_pass):
        chosen = indices[start : start + a_pass]
        assert len(set(chosen)) == a_pass
        runs = [(name, len(list(run))) for name, run in groupby(PICTURES[i] for i in chosen)]
        assert sorted(runs) == [
            (name, min(refs, PICTURES.count(name))) for name in sorted(set(PICTURES))
        ]
        orders.add(tuple(chosen))
    assert len(orders) > 5  # a new order each time
    assert set(indices) == set(range(len(PICTURES)))  # and all refs get their turn


def test_without_shuffling_the_order_is_that_of_the_dataset():
    sampler = PictureSampler(Refs(), refs_per_picture=3, shuffle=False, seed=0)
    assert take(sampler, 18) == 2 * [0, 3, 6, 1, 4, 7, 2, 5, 8]


def test_the_seed_makes_the_order():
    orders = [take(PictureSampler(Refs(), seed=seed), 40) for seed in (5, 5, 6)]
    assert orders[0] == orders[1] != orders[2]
    sampler = PictureSampler(Refs(), seed=6)
    sampler.seed = 5
    assert take(sampler, 40) == orders[0] == take(sampler, 40)


@pytest.mark.parametrize('processes', [2, 3])
def test_processes_together_take_what_one_takes(processes):
    alone = take(PictureSampler(Refs(), seed=1), 60)
    shares = []
    for rank in range(processes):
        with patch(
            'mmseg_remamber.engine.picture_sampling.get_dist_info', return_value=(rank, processes)
        ):
            shares.append(take(PictureSampler(Refs(), seed=1), 60 // processes))
    assert [index for step in zip(*shares) for index in step] == alone


def test_a_run_goes_on_where_it_stopped():
    options = dict(type='PictureSampler', refs_per_picture=2)
    whole, resumed = (KeyedSampler(options, dataset=Refs(), seed=4) for _ in range(2))
    resumed.skip(13)
    assert take(resumed, 20) == take(whole, 33)[13:]


@pytest.mark.parametrize('refs', [0, -1])
def test_what_cannot_be_dealt_out_is_refused(refs):
    with pytest.raises(ValueError, match=rf'refs_per_picture must be at least 1, got {refs}'):
        PictureSampler(Refs(), refs_per_picture=refs)
