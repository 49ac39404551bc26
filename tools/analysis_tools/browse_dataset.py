# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Write pictures of what a model is fed, before and after the pipeline of a config.

Example:
    python tools/analysis_tools/browse_dataset.py CONFIG --phase train --show-number 10 \\
        --output-dir browse

Each picture has the image with the object's outline and all that was said of it, the input with
its mask, and the tokens.
"""

import argparse
from bisect import bisect_right
from pathlib import Path

import numpy as np
from mmcv import imresize
from mmengine.dataset import BaseDataset, ConcatDataset
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from mmseg_remamber.cli.arguments import add_config_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.configuration import load_config
from mmseg_remamber.datasets.transforms import LoadRefImage, LoadRefMask, TokenizeText
from mmseg_remamber.text import load_tokenizer
from mmseg_remamber.visualization.browse import FedSample, draw_fed_sample


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument('--output-dir', type=Path, default=Path('browse'))
    parser.add_argument('--phase', choices=('train', 'val', 'test'), default='train')
    parser.add_argument('--show-number', type=int, default=10, help='samples, chosen by --seed')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    if args.show_number < 1:
        parser.error(f'--show-number must be at least 1, got {args.show_number}')
    return args


def member_of(dataset: BaseDataset | ConcatDataset, index: int) -> BaseDataset:
    """Find the dataset that has this sample, where several are joined."""
    if isinstance(dataset, ConcatDataset):
        return dataset.datasets[bisect_right(dataset.cumulative_sizes, index)]
    return dataset


def find_tokeniser(dataset: BaseDataset) -> TokenizeText:
    """Find the tokenising step of a dataset's pipeline.

    Raises:
        ValueError: The pipeline has none.
    """
    for step in dataset.pipeline.transforms:
        if isinstance(step, TokenizeText):
            return step
    names = [type(step).__name__ for step in dataset.pipeline.transforms]
    raise ValueError(f'the pipeline has no TokenizeText: {names}')


def fed_sample(dataset: BaseDataset | ConcatDataset, index: int) -> FedSample:
    """Read one entry as it is on the disk, and as the pipeline leaves it."""
    entry = dataset.get_data_info(index)
    before = LoadRefMask()(LoadRefImage()(entry.copy()))
    fed = dataset[index]
    image, sample = fed['inputs'], fed['data_samples']
    num_real = int(sample.token_mask.sum())
    ids = sample.token_ids.tolist()
    tokenizer = load_tokenizer(find_tokeniser(member_of(dataset, index)).tokenizer)
    truth = None
    if 'gt_sem_seg' in sample:
        truth = at_size(sample.gt_sem_seg.data[0].numpy(), image.shape[1:])
    return FedSample(
        image=before['img'][..., ::-1],
        mask=before['gt_seg_map'] > 0,
        sentences=[entry['text']] if 'text' in entry else entry['sentences'],
        name=f'ref {entry["ref_id"]}',
        fed_image=image.numpy().transpose(1, 2, 0)[..., ::-1],
        fed_mask=truth,
        fed_text=sample.text,
        tokens=[tokenizer.decode([token_id]).strip() for token_id in ids[:num_real]],
        num_padding=len(ids) - num_real,
        num_cut=max(sample.num_tokens - len(ids), 0),
    )


def at_size(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a mask for the picture, as truth at test has the image's own size."""
    return imresize(mask, size[::-1], interpolation='nearest') > 0


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    dataset = DATASETS.build(cfg[f'{args.phase}_dataloader'].dataset)
    np.random.seed(args.seed)  # noqa: NPY002  the generator that the transforms use
    number = min(args.show_number, len(dataset))
    chosen = np.random.default_rng(args.seed).permutation(len(dataset))[:number]
    args.output_dir.mkdir(parents=True, exist_ok=True)
    for index in sorted(chosen.tolist()):
        path = args.output_dir / f'{args.phase}_{index:06d}.png'
        draw_fed_sample(fed_sample(dataset, index), path)
        print(path)
    print(f'{number} of {len(dataset)} samples of {args.phase}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
