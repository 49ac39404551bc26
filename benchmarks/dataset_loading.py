# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Time the first and the second start on a REFER set of full size, and weigh a loader worker.

    python benchmarks/dataset_loading.py [--folder FOLDER] [--json dataset_loading.json]

Writes a set with RefCOCO's counts (50,000 refs with 142,210 sentences on 19,994 images with 196,771
annotations; random sentences and outlines, empty image files), unless the folder has it from an
earlier run. A start makes the four datasets of a training and its evaluations in a process of its
own, after the imports: the first checks everything and fills the cache, the second reads the cache;
hashing both files is part of every one of the four. Memory is the peak resident set of one loader
worker, forked with all four in memory, that has read the whole training set; the baseline is the
same of a set of a single ref.
"""

import argparse
import json
import math
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from report import write
from torch.utils.data import DataLoader

from mmseg_remamber.datasets import RefCOCODataset
from mmseg_remamber.datasets.refer.reader import save_refs

# split: images, refs, sentences of RefCOCO (unc)
COUNTS = dict(
    train=(16994, 42404, 120624),
    val=(1500, 3811, 10834),
    testA=(750, 1975, 5657),
    testB=(750, 1810, 5095),
)
TINY = dict(train=(1, 1, 1), val=(1, 1, 1), testA=(1, 1, 1), testB=(1, 1, 1))
ANNOTATIONS = 196771
WIDTH, HEIGHT = 640, 480
WORDS = (
    'left',
    'right',
    'man',
    'woman',
    'kid',
    'shirt',
    'hat',
    'pizza',
    'in',
    'the',
    'red',
    'blue',
)
START = '--start'


def write_set(root: Path, counts: dict[str, tuple[int, int, int]], annotations: int) -> None:
    """Write ``refcoco/instances.json``, ``refcoco/refs(unc).p`` and the (empty) image files."""
    rng = np.random.default_rng(0)
    (root / 'images').mkdir(parents=True)
    (root / 'refcoco').mkdir()
    images, refs, anns, num_sentences = [], [], [], 0
    for split, (split_images, split_refs, split_sentences) in counts.items():
        first = len(images)
        for _ in range(split_images):
            name = f'COCO_train2014_{len(images):012d}.jpg'
            images.append(dict(id=len(images), file_name=name, height=HEIGHT, width=WIDTH))
            (root / 'images' / name).touch()
        for number in range(split_refs):
            image_id = first + number % split_images
            size = split_sentences // split_refs + (number < split_sentences % split_refs)
            sentences = [make_sentence(num_sentences + i, rng) for i in range(size)]
            num_sentences += size
            ref = dict(
                ref_id=len(refs), ann_id=len(anns), image_id=image_id, split=split, category_id=1,
                file_name=f'{image_id}_{len(anns)}.jpg', sentences=sentences,
                sent_ids=[sentence['sent_id'] for sentence in sentences],
            )  # fmt: skip
            refs.append(ref)
            anns.append(make_annotation(len(anns), image_id, rng))
    while len(anns) < annotations:  # objects that nobody refers to
        anns.append(make_annotation(len(anns), len(anns) % len(images), rng))
    save_refs(refs, root / 'refcoco' / 'refs(unc).p')
    instances = dict(info={}, licenses=[], images=images, annotations=anns, categories=[])
    (root / 'refcoco' / 'instances.json').write_text(json.dumps(instances))


def make_sentence(sent_id: int, rng: np.random.Generator) -> dict:
    tokens = rng.choice(WORDS, 1 + rng.poisson(2.6)).tolist()
    sentence = ' '.join(tokens)
    return dict(sent_id=sent_id, sent=sentence, raw=sentence.capitalize(), tokens=tokens)


def make_annotation(ann_id: int, image_id: int, rng: np.random.Generator) -> dict:
    """An outline of about as many numbers as COCO's: 75 on average, a few of many hundred."""
    points = max(3, int(rng.lognormal(math.log(25), 0.9)))
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    radius = rng.uniform(10, 200) * rng.uniform(0.7, 1, points)
    x = np.clip(rng.uniform(0, WIDTH) + radius * np.cos(angle), 0, WIDTH)
    y = np.clip(rng.uniform(0, HEIGHT) + radius * np.sin(angle), 0, HEIGHT)
    outline = np.stack([x, y], axis=1).round(2).ravel().tolist()
    box = [float(v) for v in (x.min(), y.min(), np.ptp(x), np.ptp(y))]
    return dict(
        id=ann_id, image_id=image_id, category_id=1, iscrowd=0, area=box[2] * box[3],
        bbox=[round(v, 2) for v in box], segmentation=[outline],
    )  # fmt: skip


def start(root: Path, cache: Path) -> dict:
    """Make the four datasets, read the training set through one worker."""
    begin = time.perf_counter()
    datasets, seconds = {}, {}
    for split in COUNTS:
        since = time.perf_counter()
        datasets[split] = RefCOCODataset(
            str(root), 'refcoco', 'unc', split, 'images',
            test_mode=split != 'train', cache_dir=str(cache),
        )  # fmt: skip
        seconds[split] = round(time.perf_counter() - since, 3)
    seconds['all'] = round(time.perf_counter() - begin, 3)
    loader = DataLoader(
        datasets['train'], batch_size=64, num_workers=1, collate_fn=list, persistent_workers=True,
        multiprocessing_context='fork',
    )  # fmt: skip
    refs = sum(len(batch) for batch in loader)
    (worker,) = multiprocessing.active_children()
    return dict(
        seconds=seconds,
        entries={split: len(dataset) for split, dataset in datasets.items()},
        refs_read=refs,
        worker_mib=peak_mib(worker.pid),
        main_mib=peak_mib(os.getpid()),
    )


def peak_mib(pid: int) -> float:
    status = Path(f'/proc/{pid}/status').read_text()
    return round(int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) / 1024, 1)


def in_own_process(root: Path, cache: Path) -> dict:
    command = [sys.executable, __file__, START, str(root), str(cache)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def measure(folder: Path) -> dict:
    full, tiny = folder / 'full', folder / 'tiny'
    if not (full / 'refcoco' / 'instances.json').is_file():
        write_set(full, COUNTS, ANNOTATIONS)
    if not (tiny / 'refcoco' / 'instances.json').is_file():
        write_set(tiny, TINY, len(TINY))
    with tempfile.TemporaryDirectory() as cache:
        baseline = in_own_process(tiny, Path(cache) / 'tiny')
        first = in_own_process(full, Path(cache) / 'full')
        second = in_own_process(full, Path(cache) / 'full')
        (cached,) = (Path(cache) / 'full').iterdir()
        cache_mib = round(cached.stat().st_size / 2**20, 1)
    files = [full / 'refcoco' / name for name in ('instances.json', 'refs(unc).p')]
    return dict(
        file_mib={path.name: round(path.stat().st_size / 2**20, 1) for path in files},
        cache_mib=cache_mib,
        baseline=baseline,
        first=first,
        second=second,
    )


def report(figures: dict) -> None:
    print('files:', ', '.join(f'{name} {mib} MiB' for name, mib in figures['file_mib'].items()))
    print(f'cache: {figures["cache_mib"]} MiB')
    base = figures['baseline']['worker_mib']
    print(f'{"":8} {"start, s":>10} {"worker, MiB":>12} {"above base":>11} {"main peak":>10}')
    for name in ('baseline', 'first', 'second'):
        run = figures[name]
        print(
            f'{name:8} {run["seconds"]["all"]:10.2f} {run["worker_mib"]:12.0f} '
            f'{run["worker_mib"] - base:11.0f} {run["main_mib"]:10.0f}'
        )
    print('second start by split:', figures['second']['seconds'])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--folder', type=Path, help='where the set is kept; default: temporary')
    parser.add_argument('--json', type=Path, help='write the figures here too')
    args = parser.parse_args()
    if args.folder:
        figures = measure(args.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(Path(folder))
    report(figures)
    write(args.json, [figures])


if __name__ == '__main__':
    if sys.argv[1:2] == [START]:
        print(json.dumps(start(*map(Path, sys.argv[2:]))))
    else:
        main()
