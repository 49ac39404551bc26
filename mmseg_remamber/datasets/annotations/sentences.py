# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Which object each sentence means: by a table, or by the names of categories."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .objects import MarkedPicture, find_object, names_of
from .pictures import PictureFolder
from .report import Report, some
from .splits import check_split
from .table import Row

#: Sentences of the objects of a picture: its name, index of the object -> sentences
Sentences = dict[tuple[str, int], list[str]]


@dataclass(frozen=True)
class Said:
    """What is said of which object.

    Attributes:
        sentences: Sentences by picture and object.
        splits: Split by picture, of the pictures whose rows give one.
    """

    sentences: Sentences
    splits: dict[str, str]


def match_rows(
    rows: Sequence[Row],
    pictures: Mapping[str, MarkedPicture],
    folder: PictureFolder,
    report: Report,
) -> Said:
    """Find the picture and the object that each row means.

    Args:
        rows: Of the table.
        pictures: Marked pictures by name.
        folder: All pictures.
        report: Gets the rows that cannot be used: an unknown or ambiguous picture or object, an
            object without a mask, a row that an earlier one repeats, a split that is unknown, that
            another row of the picture contradicts, or that is missing where others have one.

    Returns:
        What is said.
    """
    sentences: Sentences = defaultdict(list)
    said_at: dict[tuple[str, int, str], str] = {}
    splits: dict[str, tuple[str, str]] = {}
    used: list[tuple[Row, str]] = []
    for row in rows:
        try:
            name, index = _find(row, pictures, folder)
            key = (name, index, ' '.join(row.sentence.split()).casefold())
            if key in said_at:
                raise ValueError(f'it says what {said_at[key]} says of the same object')
            if row.split:
                check_split(row.split)
                split, place = splits.setdefault(name, (row.split, row.place))
                if split != row.split:
                    raise ValueError(f'{name} is in {row.split}, and in {split} by {place}')
        except (LookupError, ValueError) as error:
            report.bad(row.place, str(error.args[0]))
            continue
        said_at[key] = row.place
        used.append((row, name))
        sentences[name, index].append(row.sentence)
    if splits:
        for row, name in used:
            if name not in splits:
                report.bad(row.place, f'{name} has no split, and other pictures have')
        sentences = {key: said for key, said in sentences.items() if key[0] in splits}
    _tell_of_shared(said_at, report)
    return Said(dict(sentences), {name: split for name, (split, _) in splits.items()})


def name_categories(pictures: Mapping[str, MarkedPicture], report: Report) -> Said:
    """Make the label of each object its sentence, where the picture has no other of that label.

    Of two dogs the word "dog" means neither. Underscores in labels become blanks.

    Args:
        pictures: Marked pictures by name.
        report: Gets notes of the objects that this gives no sentence.
    """
    sentences: Sentences = {}
    shared, unnamed = Counter(), 0
    for name, marked in pictures.items():
        counts = Counter(item.label for item in marked.objects)
        for index, item in enumerate(marked.objects):
            words = ' '.join(item.label.replace('_', ' ').split())
            if not words:
                unnamed += 1
            elif counts[item.label] > 1:
                shared[item.label] += 1
            elif item.segmentation is not None:
                sentences[name, index] = [words]
    report.note('sentences are names of categories, nobody wrote them')
    if shared:
        kinds = some(f'{label} ({count})' for label, count in shared.most_common())
        report.note(
            f'no sentence for {sum(shared.values())} objects whose picture has several of their '
            f'category: {kinds}'
        )
    if unnamed:
        report.note(f'no sentence for {unnamed} objects without a category')
    return Said(sentences, {})


def _find(
    row: Row, pictures: Mapping[str, MarkedPicture], folder: PictureFolder
) -> tuple[str, int]:
    """-> name of the picture, index of the object

    Raises:
        LookupError: There is no such picture or object, or several; or it cannot be used.
    """
    name = folder.find(row.picture)
    if name in folder.unusable:
        raise LookupError(f'picture {name} or its annotations cannot be used, see above')
    if name not in pictures:
        raise LookupError(f'nothing is annotated in picture {name}')
    objects = pictures[name].objects
    index = find_object(objects, row.object)
    if objects[index].segmentation is None:
        raise LookupError(
            f'object {names_of(objects)[index]} has no mask that can be used: '
            f'{objects[index].place}'
        )
    return name, index


def _tell_of_shared(said_at: Mapping[tuple[str, int, str], str], report: Report) -> None:
    """Note the sentences that are said of several objects of a picture."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (name, _, sentence), place in said_at.items():
        places[name, sentence].append(place)
    for (name, sentence), where in places.items():
        if len(where) > 1:
            report.note(
                f'{name}: {sentence!r} is said of {len(where)} objects, and means none of them '
                f'alone: {some(where)}'
            )
