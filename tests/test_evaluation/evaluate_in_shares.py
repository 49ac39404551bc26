# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""One process of distributed evaluations, by groups of several sizes; run by test_distributed.py.

    python evaluate_in_shares.py RANK FOLDER CASES

Every sentence gets intersection ``index + 1`` and union 1000, so that a lost or doubled one
changes the sums. CASES is JSON: the cases of each number of processes, of which the first
processes form the group. Prints, on rank 0, a line of JSON: for each number of processes one
[mIoU, oIoU, num_sentences] for each case.
"""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_rank, get_world_size
from torch.utils.data import DataLoader, Dataset, Sampler

from mmseg_remamber.evaluation import RefSegMetric


class Indices(Dataset):
    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return index


class Overlapping(Sampler):
    """Runs of neighbours, each with the last of the run before: not dealt out in turn, and doubled
    where mmengine, which cuts at the end, would not look."""

    def __init__(self, dataset):
        share = -(-len(dataset) // get_world_size())
        start = share * get_rank()
        self.indices = range(max(0, start - 1), min(start + share, len(dataset)))

    def __iter__(self):
        return iter(self.indices)

    def __len__(self):
        return len(self.indices)


def sample(index):
    pred, truth = torch.zeros(2, 1, 1, 1000)
    pred[..., : index + 1] = 1
    truth[...] = 1
    return dict(
        pred_sem_seg=dict(data=pred), gt_sem_seg=dict(data=truth), img_path=f'{index:04}.jpg',
        ref_id=index, sent_id=index, text='it',
    )  # fmt: skip


def make_sampler(dataset, name):
    if name == 'overlapping':
        return Overlapping(dataset)
    return DefaultSampler(dataset, shuffle=name == 'shuffled', round_up=name != 'uneven', seed=0)


def evaluate(cases):
    found = []
    for case in cases:
        dataset = Indices(case['size'])
        sampler = make_sampler(dataset, case['sampler'])
        metric = RefSegMetric(records_file=case['records_file'])
        for batch in DataLoader(dataset, batch_size=case['batch_size'], sampler=sampler):
            metric.process({}, [sample(int(index)) for index in batch])
        result = metric.evaluate(len(dataset))
        found.append([result['mIoU'], result['oIoU'], result['num_sentences']])
    return found


def main():
    rank, folder = int(sys.argv[1]), Path(sys.argv[2])
    found = {}
    for world_size, cases in json.loads(sys.argv[3]).items():
        if rank < int(world_size):
            # a file to meet at, since a port that was free may be taken meanwhile
            dist.init_process_group(
                'gloo', init_method=(folder / world_size).as_uri(), rank=rank,
                world_size=int(world_size),
            )  # fmt: skip
            assert (get_rank(), get_world_size()) == (rank, int(world_size))
            found[world_size] = evaluate(cases)
            dist.barrier()
            dist.destroy_process_group()
    if rank == 0:
        print(json.dumps(found))


if __name__ == '__main__':
    main()
