# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables of sentences: CSV, with any of the usual delimiters, or JSON lines."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from reprlib import repr as show

from .report import Report, some

COLUMNS = ('picture', 'object', 'sentence')
OPTIONAL = 'split'
DELIMITERS = (',', ';', '\t')
CSV_SUFFIXES = ('.csv', '.tsv', '.txt')
JSON_SUFFIXES = ('.jsonl', '.ndjson')


@dataclass(frozen=True)
class Row:
    """A row of a table of sentences.

    Attributes:
        place: File and line.
        picture, object: What they are called.
        sentence: As it was typed.
        split: 'train', 'val', ...; '' where none is given.
    """

    place: str
    picture: str
    object: str
    sentence: str
    split: str


@dataclass(frozen=True)
class Table:
    """The rows of a table that can be read.

    Attributes:
        rows: Those rows.
        num_rows: How many there were, with those that cannot be read.
    """

    rows: list[Row]
    num_rows: int


def read_table(
    path: Path, report: Report, *, delimiter: str | None = None, encoding: str | None = None
) -> Table:
    """Read sentences: a row for each, of picture, object, sentence and, if given, split.

    Args:
        path: ``.csv``, ``.tsv`` or ``.txt`` with a first row of column names, in any order; or
            ``.jsonl`` or ``.ndjson``, a JSON object a line with these names.
        report: Gets the rows that cannot be read, each with its line.
        delimiter: Between the cells of CSV; None takes whichever of comma, semicolon and tab parts
            the names of the columns.
        encoding: None is UTF-8, or UTF-16 where the file begins with its mark.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Another suffix, a text of another encoding, columns that are missing or twice;
            names the line.
    """
    if not path.is_file():
        raise FileNotFoundError(f'no table of sentences {path}')
    suffix = path.suffix.lower()
    if suffix not in CSV_SUFFIXES + JSON_SUFFIXES:
        raise ValueError(
            f'a table of sentences ends in one of {CSV_SUFFIXES + JSON_SUFFIXES}, got {path}'
        )
    text = _decode(path, encoding)
    if suffix in JSON_SUFFIXES:
        return _read_json_lines(path, text, report)
    return _read_csv(path, text, report, delimiter)


def _decode(path: Path, encoding: str | None) -> str:
    data = path.read_bytes()
    if encoding is None:
        encoding = 'utf-16' if data[:2] in (b'\xff\xfe', b'\xfe\xff') else 'utf-8-sig'
    try:
        return data.decode(encoding)
    except LookupError as error:
        raise ValueError(f'encoding {encoding!r} is not known') from error
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        name = encoding.removesuffix('-sig')
        raise ValueError(
            f'{path}:{line}: byte 0x{data[error.start]:02x} is not {name}: save the table as '
            'UTF-8, or give its --encoding, as cp1252'
        ) from error


def _read_csv(path: Path, text: str, report: Report, delimiter: str | None) -> Table:
    skipped = 0
    if text[:4].lower() == 'sep=':  # how Excel is told of a delimiter
        mark, _, text = text.partition('\n')
        delimiter, skipped = delimiter or mark.rstrip('\r')[4:], 1
    columns, delimiter = _read_header(path, text, delimiter, skipped + 1)
    places = {name: columns.index(name) for name in (*COLUMNS, OPTIONAL) if name in columns}
    unused = [name for name in columns if name not in places]
    if unused:
        report.note(f'{path}: columns that are not used: {some(unused)}')
    rows, num_rows = [], 0
    for line, cells, wrong in islice(_csv_rows(text, delimiter), 1, None):  # after the header
        place = f'{path}:{line + skipped}'
        num_rows += 1
        if wrong:
            report.bad(place, wrong)
            continue
        while len(cells) > len(columns) and not cells[-1].strip():
            cells.pop()
        if len(cells) != len(columns):
            hint = ': a sentence with the delimiter in it needs quotation marks'
            report.bad(
                place,
                f'{len(cells)} cells, expected {len(columns)}'
                + (hint if len(cells) > len(columns) else ''),
            )
            continue
        values = {name: cells[index] for name, index in places.items()}
        _add(rows, place, values, report)
    return Table(rows, num_rows)


def _read_header(path: Path, text: str, delimiter: str | None, line: int) -> tuple[list[str], str]:
    """-> names of the columns, and what parts them"""
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError(f'delimiter must be one character, got {delimiter!r}')
    found: list[str] = []
    for candidate in DELIMITERS if delimiter is None else (delimiter,):
        cells = next((cells for _, cells, _ in _csv_rows(text, candidate)), [])
        names = [cell.strip().lower() for cell in cells]
        if set(COLUMNS) <= set(names):
            if len(set(names) & {*COLUMNS, OPTIONAL}) < sum(
                name in (*COLUMNS, OPTIONAL) for name in names
            ):
                raise ValueError(f'{path}:{line}: a column is there twice: {names}')
            return names, candidate
        found = found or names
    raise ValueError(
        f'{path}:{line}: the first row must name the columns {", ".join(COLUMNS)} (and may name '
        f'{OPTIONAL}), got {show(found)}'
    )


def _csv_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Yields line, cells and what is wrong with each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = f'it is no row of CSV: {error}'
            if reader.line_num > line:
                message += f'; a quotation mark goes on to line {reader.line_num}'
            yield line, [], message
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells, ''


def _read_json_lines(path: Path, text: str, report: Report) -> Table:
    rows, num_rows = [], 0
    # JSON may have every other character that Python takes for the end of a line
    for line, content in enumerate(text.split('\n'), start=1):
        if not content.strip():
            continue
        place = f'{path}:{line}'
        num_rows += 1
        try:
            record = json.loads(content)
        except (json.JSONDecodeError, RecursionError) as error:
            report.bad(place, f'it is no JSON: {error}')
            continue
        if type(record) is not dict:
            report.bad(place, f'it is no object of JSON: {show(record)}')
            continue
        values = {name: record.get(name) for name in (*COLUMNS, OPTIONAL)}
        if type(values['object']) is int:
            values['object'] = str(values['object'])
        for name in ('object', OPTIONAL):  # may be left out
            values[name] = '' if values[name] is None else values[name]
        wrong = [name for name, value in values.items() if type(value) is not str]
        if wrong:
            report.bad(place, f'{wrong[0]} must be text, got {show(record.get(wrong[0]))}')
            continue
        _add(rows, place, values, report)
    return Table(rows, num_rows)


def _add(rows: list[Row], place: str, values: dict[str, str], report: Report) -> None:
    values = {name: value.strip() for name, value in values.items()}
    empty: Sequence[str] = [name for name in ('picture', 'sentence') if not values[name]]
    if empty:
        report.bad(place, f'the {" and the ".join(empty)} is empty')
        return
    rows.append(
        Row(place, values['picture'], values['object'], values['sentence'],
            values.get(OPTIONAL, ''))
    )  # fmt: skip
