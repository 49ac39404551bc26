# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks of sentences, and the files that hold them."""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from mmseg_remamber.datasets.origin import Origin


def shorten(text: str, width: int) -> str:
    """A text in one line of at most `width` characters, also where it has no blanks."""
    line = ' '.join(text.split())
    return line if len(line) <= width else f'{line[: width - 3].rstrip()}...'


@dataclass(frozen=True, eq=False)
class ReferredMask:
    """What a sentence means in a picture.

    Attributes:
        text: the sentence.
        mask: (H, W) bool, at the picture's own size.
        score: mean probability of the mask's pixels, in (threshold, 1]; 0 for an empty mask.
        num_tokens: length of the sentence, with its start and end tokens.
        truncated: whether the model read its beginning only, the sentence being too long.
    """

    text: str
    mask: np.ndarray
    score: float
    num_tokens: int
    truncated: bool

    @property
    def caption(self) -> str:
        """Score and sentence in a line."""
        if not self.mask.any():
            return f'nothing found: {self.text}'
        return f'{self.score:.2f} {self.text}'


class ResultWriter:
    """Writes what was found in each picture.

    ``vis/NAME.png`` is the picture with its masks and sentences, ``pred/NAME_K.png`` the mask of
    the K-th sentence (0 and 255, counted from 1), ``results.json`` all of them in COCO's format:
    images, and annotations with run lengths, box, area, score and sentence; further what the model
    was trained on (``info.trained_on``, null where that is not recorded) and why a picture's masks
    are not to be trusted (``doubt`` of an image, null where nothing speaks against them). What an
    earlier writer left in the folder is removed first, as far as its ``results.json`` lists it.

    Args:
        folder: made where it is not there.
        trained_on: the origin of the model's training data.

    Raises:
        OSError: when it cannot be written.
    """

    def __init__(self, folder: str | Path, trained_on: Origin | None = None):
        self.folder = Path(folder)
        try:
            for name in ('vis', 'pred'):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
                # permissions say less than a try: of the superuser, or on a read-only disk
                tempfile.TemporaryFile(dir=self.folder / name).close()
        except OSError as error:
            raise OSError(f'out_dir {str(folder)!r} cannot be written: {error}') from error
        self._remove_earlier()
        self._info = dict(trained_on=None if trained_on is None else trained_on.to_dict())
        self._names: set[str] = set()
        self._images: list[dict] = []
        self._annotations: list[dict] = []

    def add(
        self,
        name: str,
        masks: Sequence[ReferredMask],
        overlay: np.ndarray,
        doubt: str | None = None,
    ) -> None:
        """Write the pictures of one input.

        Args:
            name: of the files; one that was there already gets a number.
            masks: of its sentences, at least one.
            overlay: (h, w, 3) uint8 RGB.
            doubt: why its masks are not to be trusted.
        """
        name = self._unused(name)
        file_name = f'vis/{name}.png'
        Image.fromarray(overlay).save(self.folder / file_name)
        height, width = masks[0].mask.shape
        image_id = len(self._images) + 1
        self._images.append(
            dict(
                id=image_id,
                file_name=name,
                height=height,
                width=width,
                overlay=file_name,
                doubt=doubt,
            )
        )
        for number, item in enumerate(masks, 1):
            mask_file = f'pred/{name}_{number}.png'
            Image.fromarray(item.mask.astype(np.uint8) * 255).save(self.folder / mask_file)
            run_lengths = coco_mask.encode(np.asfortranarray(item.mask, dtype=np.uint8))
            self._annotations.append(
                dict(
                    id=len(self._annotations) + 1,
                    image_id=image_id,
                    category_id=1,
                    segmentation=dict(
                        size=run_lengths['size'], counts=run_lengths['counts'].decode('ascii')
                    ),
                    area=int(item.mask.sum()),
                    bbox=[float(side) for side in coco_mask.toBbox(run_lengths)],
                    iscrowd=0,
                    score=item.score,
                    text=item.text,
                    num_tokens=item.num_tokens,
                    truncated=item.truncated,
                    mask=mask_file,
                )
            )

    def close(self) -> None:
        """Write ``results.json``."""
        content = dict(
            info=self._info,
            images=self._images,
            annotations=self._annotations,
            categories=[dict(id=1, name='referent')],
        )
        text = json.dumps(content, indent=1, ensure_ascii=False)
        draft = self.folder / 'results.json.part'
        draft.write_text(text + '\n', encoding='utf-8')
        os.replace(draft, self.folder / 'results.json')  # whole, or not there

    def _remove_earlier(self) -> None:
        """Remove the files that an earlier ``results.json`` lists, and itself."""
        path = self.folder / 'results.json'
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
            files = [image['overlay'] for image in content['images']]
            files += [annotation['mask'] for annotation in content['annotations']]
        except (OSError, ValueError, LookupError, TypeError):
            return  # none, or not of this writer
        for name in files:
            file = self.folder / str(name)
            if file.parent.name in ('vis', 'pred') and file.parent.parent == self.folder:
                file.unlink(missing_ok=True)
        path.unlink()

    def _unused(self, name: str) -> str:
        unused, number = name, 1
        while unused in self._names:
            number += 1
            unused = f'{name}-{number}'
        self._names.add(unused)
        return unused
