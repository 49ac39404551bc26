# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Extension of griffe: docstrings of this project, as mkdocstrings reads them.

Sphinx's roles become code, and ``a, b: text`` among the arguments a line for each of them.
"""

import re
from typing import Any

import griffe

ROLE = re.compile(r':(?:class|func|meth|mod|attr|data|obj):`~?(?P<name>[^`]+)`')
SECTION = re.compile(r'^Args:\n(?P<body>(?:(?: .*)?\n)*)', re.MULTILINE)
JOINED = re.compile(
    r'^    (?P<names>\w+(?:, \w+)+): (?P<text>.*\n(?:(?:     .*)?\n)*)', re.MULTILINE
)


class Docstrings(griffe.Extension):
    """Rewrites the docstring of each object."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:  # griffe passes more
        if obj.docstring is not None:
            text = ROLE.sub(r'`\g<name>`', obj.docstring.value)
            obj.docstring.value = SECTION.sub(_part, text + '\n').rstrip('\n')


def _part(section: re.Match) -> str:
    return 'Args:\n' + JOINED.sub(_each, section['body'])


def _each(entry: re.Match) -> str:
    return ''.join(f'    {name}: {entry["text"]}' for name in entry['names'].split(', '))
