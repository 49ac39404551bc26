# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""From annotations and sentences to a checked dataset and a config that trains on it."""

import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from mmseg_remamber.checkpoints.digest import sha256_of_file
from mmseg_remamber.datasets.transforms.text import TokenizeText

from .coco import read_coco
from .cvat import read_cvat
from .finetuning import FineTuning, check_options, write_config
from .labelme import read_labelme
from .layout import IMG_DIR, check_dataset, write_dataset
from .mask_files import read_mask_files, read_mask_values
from .objects import MarkedPicture
from .pictures import PictureFolder
from .report import Report, some
from .sentences import Sentences, match_rows, name_categories
from .splits import draw_splits
from .table import read_table

FORMATS = ('coco', 'labelme', 'cvat', 'mask-files', 'mask-values')
CONFIG = 'finetune.py'


@dataclass(frozen=True)
class Annotations:
    """Where objects are marked, and how.

    Attributes:
        format: One of :data:`FORMATS`.
        path: File or folder.
        background: Values of ``mask-values`` that are no object.
        exif: Whether they lie on pictures 'turned' by their EXIF tag or as 'stored'.
    """

    format: str
    path: Path
    background: Collection[int] = (0,)
    exif: str = 'turned'


@dataclass(frozen=True)
class Table:
    """A table of sentences: path, and how CSV is read, see :func:`.read_table`."""

    path: Path
    delimiter: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class Shares:
    """How splits are drawn where a table gives none, see :func:`.draw_splits`."""

    val: float = 0.2
    test: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Attributes:
        report: What it found wrong, and notes.
        account: What came in, and what became of it, a line of text each.
        counts: Split -> numbers of pictures, objects and sentences written; None where nothing
            was.
        iterations: Of the config; 0 where nothing was written.
    """

    report: Report
    account: list[str]
    counts: dict[str, dict[str, int]] | None = None
    iterations: int = 0


def convert_annotations(
    out: Path,
    pictures: Path,
    annotations: Annotations,
    table: Table | None,
    training: FineTuning,
    *,
    shares: Shares = Shares(),
    about: str = '',
    link: bool = False,
    skip_bad: bool = False,
) -> Conversion:
    """Convert, check what was written, and put a config for training beside it.

    Args:
        out: Folder to write, which must not be there; its name is the dataset's.
        pictures: Folder of the pictures.
        annotations: Where their objects are marked.
        table: Sentences; None takes the names of categories.
        training: What the config is made of.
        shares: How splits are drawn where the table gives none.
        about: What the pictures are, in words, which checkpoints carry along.
        link: Link pictures in place of copying them.
        skip_bad: Write the dataset without what is bad. Otherwise nothing is written where
            anything is.

    Returns:
        What was done.

    Raises:
        FileExistsError: ``out`` is there.
        FileNotFoundError: An input is missing.
        ValueError: A file is of another format as a whole, options make no sense, nothing is left,
            or a split is empty that training needs.
        RuntimeError: What was written does not read back the same.
    """
    _check_out(out, pictures)
    dataset = out.resolve().name
    if annotations.format not in FORMATS:
        raise ValueError(f'format must be one of {FORMATS}, got {annotations.format!r}')
    base = check_options(training)
    report = Report()
    is_mask = annotations.format.startswith('mask')
    folder = PictureFolder(
        pictures, exif=annotations.exif, exclude=annotations.path if is_mask else None
    )
    # first, as a table that cannot be read at all is an error at once
    content = None
    if table is not None:
        content = read_table(table.path, report, delimiter=table.delimiter, encoding=table.encoding)
    marked = _read_annotations(annotations, folder, report)
    if content is None:
        said = name_categories(marked, report)
    else:
        said = match_rows(content.rows, marked, folder, report)
    sentences = dict(said.sentences)
    try:
        splits = _split(sentences, said.splits, marked, shares, report)
    except ValueError as error:
        if not report.problems:
            raise ValueError('; '.join([str(error), *report.notes])) from error
        report.bad('splits', str(error))  # what is bad may be why
        splits = None
    _tell(folder, marked, sentences, base, report)
    account = _account(folder, marked, sentences, None if content is None else content.num_rows)
    account.append(
        'splits: ' + ('of the table' if said.splits else f'drawn with seed {shares.seed}')
    )
    if splits is None or (report.problems and not skip_bad):
        return Conversion(report, account)
    kind = 'names of categories' if table is None else 'sentences of a table'
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f'.{dataset}.', dir=out.parent))
    try:
        work.chmod(0o755)
        counts = write_dataset(
            work, dataset, marked, sentences, splits,
            description=f'{about or dataset}; {kind}', link=link,
        )  # fmt: skip
        check_dataset(work, dataset, marked, sentences, splits)
        iterations = write_config(
            work / CONFIG, dataset, training, base, counts=counts, pictures=about, sentences=kind
        )
        os.rename(work, out)
    except BaseException:
        shutil.rmtree(work)
        raise
    return Conversion(report, account, counts, iterations)


def _check_out(out: Path, pictures: Path) -> None:
    if out.exists() or out.is_symlink():
        raise FileExistsError(f'{out} exists; remove it, or write to another folder')
    if out.resolve().name in (IMG_DIR, ''):
        raise ValueError(f'the folder to write gives the dataset its name, which cannot be {out}')
    if pictures.resolve() in out.resolve().parents:
        raise ValueError(f'{out} lies in the folder of the pictures: write elsewhere')


def _read_annotations(
    annotations: Annotations, folder: PictureFolder, report: Report
) -> dict[str, MarkedPicture]:
    path = annotations.path
    if path.suffix.lower() == '.zip':
        raise ValueError(f'{path} is a zip file: unpack it')
    if annotations.format == 'mask-values':
        return read_mask_values(path, folder, report, annotations.background)
    readers = {
        'coco': read_coco,
        'labelme': read_labelme,
        'cvat': read_cvat,
        'mask-files': read_mask_files,
    }
    return readers[annotations.format](path, folder, report)


def _split(
    sentences: Sentences,
    given: Mapping[str, str],
    marked: Mapping[str, MarkedPicture],
    shares: Shares,
    report: Report,
) -> dict[str, str]:
    """Draw splits where none are given; a picture that is there twice is in one split alone.

    Raises:
        ValueError: Nothing is left to split, to train on or to validate with, or as
            :func:`.draw_splits`.
    """
    digests = {
        name: sha256_of_file(marked[name].picture.path)
        for name in sorted({name for name, _ in sentences})
    }
    if not digests:
        raise ValueError('no object has a sentence')
    if not given:
        return draw_splits(digests, val=shares.val, test=shares.test, seed=shares.seed)
    first: dict[str, str] = {}
    for name, digest in digests.items():
        twin = first.setdefault(digest, name)
        if given[twin] != given[name]:
            report.bad(
                str(marked[name].picture.path),
                f'it is in {given[name]}, and the same picture as {twin}, which is in '
                f'{given[twin]}',
            )
            for key in [key for key in sentences if key[0] == name]:
                del sentences[key]
    splits = {name: given[name] for name, _ in sentences}
    missing = [split for split in ('train', 'val') if split not in splits.values()]
    if missing:
        raise ValueError(
            f'no picture with a sentence is in {" or ".join(missing)}; there are '
            f'{sorted(set(splits.values())) or "none"}'
        )
    return splits


def _tell(
    folder: PictureFolder,
    marked: Mapping[str, MarkedPicture],
    sentences: Sentences,
    base: Config,
    report: Report,
) -> None:
    """Note what happens to pictures and sentences that is easily overlooked."""
    if folder.others:
        kinds = some(f'{count} {suffix}' for suffix, count in folder.others.most_common())
        report.note(f'files in {folder.root} that are not taken for pictures: {kinds}')
    turned = [name for name, item in marked.items() if item.picture.orientation > 1]
    if turned:
        report.note(
            f'{len(turned)} pictures are turned by their EXIF tag, and are written upright: '
            f'{some(turned)}'
        )
    step = next((dict(s) for s in base.train_pipeline if s['type'] == 'TokenizeText'), None)
    if step is None:
        return
    del step['type']
    tokenize = TokenizeText(**step)
    cut = [
        f'{name}: {text!r}'
        for (name, _), said in sentences.items()
        for text in said
        if tokenize.transform(dict(text=text))['truncated']
    ]
    if cut:
        report.note(
            f'{len(cut)} sentences are longer than the {tokenize.max_tokens} tokens that the model '
            f'reads, and are cut: {some(cut)}'
        )


def _account(
    folder: PictureFolder,
    marked: Mapping[str, MarkedPicture],
    sentences: Sentences,
    num_rows: int | None,
) -> list[str]:
    """What came in and what becomes of it; the parts of each line add up."""
    used = {name for name, _ in sentences}
    unusable = len(folder.unusable)
    objects = [
        (name, (name, index) in sentences, item.segmentation is None)
        for name, picture in marked.items()
        for index, item in enumerate(picture.objects)
    ]
    beside = sum(name in used and not has and not bad for name, has, bad in objects)
    elsewhere = sum(name not in used and not bad for name, _, bad in objects)
    num_used = sum(map(len, sentences.values()))
    lines = [
        _sum(
            'pictures', len(folder.names), 'in the folder',
            {
                'with sentences': len(used),
                'annotated, without a sentence': len(set(marked) - used),
                'not annotated': len(folder.names) - len(marked) - unusable,
                'that cannot be used': unusable,
            },
        ),
        _sum(
            'objects', len(objects), 'in pictures that can be used',
            {
                'with sentences': len(sentences),
                'without a sentence, kept beside those that have one': beside,
                'in pictures without a sentence': elsewhere,
                'whose mask cannot be used': sum(bad for *_, bad in objects),
            },
        ),
    ]  # fmt: skip
    if num_rows is None:
        return [*lines, f'sentences: {num_used} made of names of categories']
    return [
        *lines,
        _sum(
            'sentences', num_rows, 'rows',
            {'used': num_used, 'that cannot be used': num_rows - num_used},
        ),
    ]  # fmt: skip


def _sum(what: str, total: int, where: str, parts: Mapping[str, int]) -> str:
    listed = ' + '.join(f'{count} {name}' for name, count in parts.items() if count)
    return f'{what}: {total} {where}' + (f' = {listed}' if listed else '')
