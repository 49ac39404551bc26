# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A tiny dataset in the REFER layout, for tests to change and to write."""

import json
import pickle

from PIL import Image

from mmseg_remamber.datasets import RefCOCODataset

SQUARE = [2.0, 2.0, 8.0, 2.0, 8.0, 8.0, 2.0, 8.0]
HEIGHT, WIDTH = 12, 16


def make_ref(ref_id, ann_id, image_id, sentences, split='train'):
    return dict(
        ref_id=ref_id,
        ann_id=ann_id,
        image_id=image_id,
        category_id=1,
        split=split,
        file_name=f'{image_id}_{ann_id}.png',
        sent_ids=[10 * ref_id + i for i in range(len(sentences))],
        sentences=[
            dict(sent_id=10 * ref_id + i, sent=s.lower(), raw=s, tokens=s.lower().split())
            for i, s in enumerate(sentences)
        ],
    )


class Folder:
    """Three images of five objects, each with a ref; ``write`` puts them on disk as they are."""

    def __init__(self, path, *, name='toy', stem='refs'):
        self.path = path
        self.name = name
        self.stem = stem
        self.images = [
            dict(id=i, file_name=f'{i}.png', height=HEIGHT, width=WIDTH) for i in (1, 2, 3)
        ]
        self.annotations = [
            dict(id=i, image_id=image, category_id=1, segmentation=[[x + i / 2 for x in SQUARE]])
            for i, image in ((1, 1), (2, 1), (3, 1), (4, 2), (5, 3))
        ]
        self.refs = [
            make_ref(1, 1, 1, ['Left one', 'one']),
            make_ref(2, 2, 1, ['Two']),
            make_ref(3, 3, 1, ['Three', 'THREE!']),
            make_ref(4, 4, 2, ['alone']),
            make_ref(5, 5, 3, ['held out', 'out'], 'val'),
        ]

    @property
    def refs_path(self):
        return self.path / self.name / f'{self.stem}(me).p'

    @property
    def instances_path(self):
        return self.path / self.name / 'instances.json'

    def write(self, refs: bytes | None = None):
        """Write everything; ``refs`` stands in for the refs file's content."""
        (self.path / 'images').mkdir(exist_ok=True)
        (self.path / self.name).mkdir(exist_ok=True)
        for image in self.images:
            if image.get('file_name'):
                picture = Image.new('RGB', (WIDTH, HEIGHT), 'red')
                picture.save(self.path / 'images' / image['file_name'])
        instances = dict(images=self.images, annotations=self.annotations)
        self.instances_path.write_text(json.dumps(instances))
        self.refs_path.write_bytes(pickle.dumps(self.refs, protocol=2) if refs is None else refs)
        return self

    def read(self, split='train', *, kind=RefCOCODataset, **arguments):
        arguments = dict(dataset=self.name, split_by='me', img_dir='images') | arguments
        return kind(str(self.path), split=split, **arguments)


def entries(dataset):
    return [dataset[i] for i in range(len(dataset))]
