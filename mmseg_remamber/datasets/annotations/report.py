# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a conversion found wrong, and where."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Problem(NamedTuple):
    """Something that cannot be used.

    Attributes:
        place: File, and the line, shape or annotation in it.
        message: What is wrong with it.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f'{self.place}: {self.message}'


@dataclass
class Report:
    """Collects problems, so that all of them are told and not the first.

    Attributes:
        problems: What cannot be used.
        notes: What can be used, and should be known.
    """

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def bad(self, place: str, message: str) -> None:
        """Enter something that cannot be used."""
        self.problems.append(Problem(place, message))

    def note(self, message: str) -> None:
        """Enter something that should be known."""
        self.notes.append(message)


def some(names, limit: int = 8) -> str:
    """List names, the first of them where there are many."""
    names = list(names)
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(map(str, names[:limit])) + more
