# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A folder of pictures: found by the names that annotation tools write, and turned upright."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mmseg_remamber.datasets.decoding import decode_picture, open_picture, orientation_of
from mmseg_remamber.datasets.masks import decode_mask

from .report import Report, some
from .shapes import encode

SUFFIXES = ('.bmp', '.gif', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')
EXIF = ('turned', 'stored')
_SAID = dict(turned='when its EXIF tag has turned it', stored='before its EXIF tag turns it')
_ORIENTATION = 0x0112
_JPEG = dict(quality=95, subsampling=0)  # of pictures that are turned and written anew


class Ambiguous(LookupError):
    """A name that several have."""


@dataclass(frozen=True)
class Picture:
    """A picture that can be used.

    Attributes:
        name: Its path in the folder, with forward slashes.
        path: Its file.
        width, height: As its annotations have it.
        orientation: What its EXIF tag says, 1 to 8; 1 is as stored.
        exif: Whether its annotations lie on the picture 'turned' by that tag or as 'stored'.
    """

    name: str
    path: Path
    width: int
    height: int
    orientation: int
    exif: str

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as a viewer shows it."""
        if self.exif == 'stored' and self.orientation >= 5:
            return self.height, self.width
        return self.width, self.height

    def check_size(self, size: tuple[int, int]) -> None:
        """Compare a width and height that annotations say with the picture's.

        Raises:
            ValueError: They differ; says so where they are those before or after its EXIF turn.
        """
        seen = (self.width, self.height)
        if size == seen:
            return
        message = f'annotated at {_by(size)} pixels, picture {self.name} has {_by(seen)}'
        if self.orientation >= 5 and size == seen[::-1]:
            other = EXIF[1 - EXIF.index(self.exif)]
            message += f'; {_by(size)} it has {_SAID[other]}: give --exif {other}'
        raise ValueError(message)

    def turn(self, segmentation: dict | list) -> dict | list:
        """Turn a mask of its annotations upright, as the picture is written."""
        if self.exif == 'turned' or self.orientation == 1:
            return segmentation
        mask = Image.fromarray(decode_mask(segmentation, self.height, self.width))
        mask.getexif()[_ORIENTATION] = self.orientation
        return encode(np.asarray(ImageOps.exif_transpose(mask)))

    @property
    def written_name(self) -> str:
        """Its path among the pictures of the dataset.

        A picture that has to be turned is written anew: a JPEG as one, any other as PNG.
        """
        if self.orientation == 1 or self.path.suffix.lower() in ('.jpg', '.jpeg'):
            return self.name
        return f'{self.name}.png'

    def write(self, folder: Path, *, link: bool) -> None:
        """Copy or link it into a folder; write it anew where its EXIF tag turns it.

        Datasets are read without looking at that tag, and people's pictures are shown with it.
        """
        target = folder / self.written_name
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.orientation > 1:
            with open_picture(self.path, str(self.path)) as image:
                profile = image.info.get('icc_profile') if image.mode == 'RGB' else None
                pixels = decode_picture(image, str(self.path), turn=True)
            options = _JPEG if target.suffix.lower() in ('.jpg', '.jpeg') else {}
            Image.fromarray(pixels[..., ::-1]).save(target, icc_profile=profile, **options)
        elif link:
            target.symlink_to(self.path.resolve())
        else:
            target.write_bytes(self.path.read_bytes())


class PictureFolder:
    """The pictures in a folder and the folders below it.

    Args:
        root: The folder.
        exif: Whether annotations lie on pictures 'turned' by their EXIF tag, as nearly all tools
            show them, or as 'stored'.
        exclude: A folder below it that holds no pictures: masks.

    Attributes:
        names: Paths of the pictures in it, with forward slashes, sorted.
        others: How many other files there are, by their suffixes.
        unusable: Names of those that :meth:`open` could not use.

    Raises:
        FileNotFoundError: No such folder, or no picture in it.
        ValueError: A file name that is no UTF-8.
    """

    def __init__(self, root: Path, *, exif: str = 'turned', exclude: Path | None = None):
        if exif not in EXIF:
            raise ValueError(f'exif must be one of {EXIF}, got {exif!r}')
        if not root.is_dir():
            raise FileNotFoundError(f'no folder of pictures {root}')
        self.root = root
        self.exif = exif
        files = list(_list_files(root, exclude))
        for name in files:
            if not _is_text(name):
                raise ValueError(f'rename the file {name!r} in {root}: its name is no UTF-8')
        self.names = sorted(name for name in files if _suffix(name) in SUFFIXES)
        self.others = Counter(_suffix(name) for name in files if _suffix(name) not in SUFFIXES)
        self._known = frozenset(self.names)
        self.unusable: set[str] = set()
        if not self.names:
            raise FileNotFoundError(f'no picture ({", ".join(SUFFIXES)}) in {root}')
        # how strictly names are compared -> last part of a name -> all parts, name
        self._indices: list[dict[str, list]] = []
        for fold, suffix in _STRICTNESS:
            index: dict[str, list] = {}
            for name in self.names:
                parts = _parts(name if suffix else os.path.splitext(name)[0], fold)
                index.setdefault(parts[-1], []).append((parts, name))
            self._indices.append(index)

    def __contains__(self, name: str) -> bool:
        """Whether a picture has exactly this path in the folder."""
        return name in self._known

    def find(self, name: str) -> str:
        """Find the picture that a name in a table or an annotation file means.

        It may have folders more or less than the picture has here, as ``/home/me/photos/a.jpg``
        and ``a.jpg`` have, backslashes, no suffix, and another case; what agrees better is meant.

        Returns:
            Its path in the folder.

        Raises:
            LookupError: There is none; lists those with names like it.
            Ambiguous: Several agree equally well; lists them.
        """
        for (fold, _), index in zip(_STRICTNESS, self._indices):
            parts = _parts(name, fold)
            if not parts:
                break
            near = index.get(parts[-1], ())
            found = [known for known_parts, known in near if known_parts == parts]
            found = found or [known for known_parts, known in near if _agree(known_parts, parts)]
            if len(found) == 1:
                return found[0]
            if found:
                raise Ambiguous(f'picture {name!r} may be each of {some(found)}')
        parts = _parts(name, True)
        close = [known for _, known in self._indices[2].get(parts[-1], ())] if parts else []
        close = close or get_close_matches('/'.join(_parts(name, False)), self.names, n=3)
        hint = f'; did you mean {" or ".join(close)}?' if close else ''
        raise LookupError(f'no picture {name!r} in {self.root}{hint}')

    def open(self, name: str, place: str, size: tuple | None, report: Report) -> Picture | None:
        """Decode a picture and compare its size with that of its annotations.

        Args:
            name: Its path in the folder.
            place: Where its annotations are, for messages.
            size: Width and height that they say; None where they do not.
            report: Gets what is wrong.

        Returns:
            The picture; None when it cannot be used.
        """
        path = self.root / name
        try:
            with open_picture(path, str(path)) as image:
                orientation = orientation_of(image)
                height, width = decode_picture(image, str(path), turn=False).shape[:2]
            if orientation >= 5 and self.exif == 'turned':
                width, height = height, width
            picture = Picture(name, path, width, height, orientation, self.exif)
            if size is not None:
                picture.check_size(size)
        except (OSError, ValueError) as error:
            report.bad(place, str(error))
            self.unusable.add(name)
            return None
        return picture


# names are compared as they are, then without their suffix, then both in any case
_STRICTNESS = ((False, True), (False, False), (True, True), (True, False))


def _is_text(name: str) -> bool:
    """Whether a name can be written to a file; others come from another encoding."""
    return not any('\ud800' <= letter <= '\udfff' for letter in name)


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _list_files(root: Path, exclude: Path | None) -> Iterator[str]:
    """Yields paths below a folder, those in linked folders too; hidden ones are left out."""
    excluded = None if exclude is None or exclude.resolve() == root.resolve() else exclude.resolve()
    seen = {root.resolve()}  # links may lead in circles
    for folder, folders, files in os.walk(root, followlinks=True):
        here = Path(folder)
        entered = []
        for name in sorted(folders):
            target = (here / name).resolve()
            if name[0] != '.' and target != excluded and target not in seen:
                seen.add(target)
                entered.append(name)
        folders[:] = entered
        yield from ((here / name).relative_to(root).as_posix() for name in files if name[0] != '.')


def _parts(name: str, fold: bool) -> tuple[str, ...]:
    """Split a name into folders and file; accents are composed, as only some systems do."""
    name = unicodedata.normalize('NFC', name.strip()).replace('\\', '/')
    parts = tuple(part for part in name.split('/') if part not in ('', '.', '..'))
    return tuple(part.casefold() for part in parts) if fold else parts


def _agree(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether one path is the end of the other."""
    shared = min(len(a), len(b))
    return a[-shared:] == b[-shared:]


def _by(size: tuple) -> str:
    return f'{size[0]} x {size[1]}'
