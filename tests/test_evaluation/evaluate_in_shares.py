# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""One process of a distributed evaluation; run by test_distributed.py.

Every sentence gets intersection ``index + 1`` and union 1000, so that a lost or doubled one
changes the sums. Prints, on rank 0, a line of JSON: one [mIoU, oIoU, num_sentences] for each case.
"""

import json
import sys

import torch
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


def main():
    torch.distributed.init_process_group('gloo')
    found = []
    for case in json.loads(sys.argv[1]):
        dataset = Indices(case['size'])
        sampler = make_sampler(dataset, case['sampler'])
        metric = RefSegMetric(records_file=case['records_file'])
        for batch in DataLoader(dataset, batch_size=case['batch_size'], sampler=sampler):
            metric.process({}, [sample(int(index)) for index in batch])
        result = metric.evaluate(len(dataset))
        found.append([result['mIoU'], result['oIoU'], result['num_sentences']])
    if get_rank() == 0:
        print(json.dumps(found))
    torch.distributed.destroy_process_group()


if __name__ == '__main__':
    main()
