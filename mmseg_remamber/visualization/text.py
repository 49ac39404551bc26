# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Sentences of any script in a picture: the fonts they need, and their lines.

matplotlib brings DejaVu Sans (Latin, Greek, Cyrillic, Arabic and more, but no Chinese, Japanese or
Korean and few emoji). Other characters are drawn with the fonts that are installed; what no font
has is spelt out, never drawn as an empty box.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

MAIN_FONT = 'DejaVu Sans'
# what most systems have of the scripts that DejaVu lacks; looked at before all the others
_PREFERRED = re.compile('CJK|Noto Sans|Droid|WenQuanYi|Source Han|Symbola|Unifont', re.IGNORECASE)
# has a placeholder for every character, and a letter for none
_PLACEHOLDER_FONT = re.compile('last ?resort', re.IGNORECASE)


@dataclass(frozen=True)
class DrawableText:
    """A sentence that can be drawn.

    Attributes:
        text: The sentence; characters that no font has are spelt out in square brackets.
        families: Fonts to draw it with, matplotlib's ``family``.
        spelt_out: Whether there were such characters.
    """

    text: str
    families: tuple[str, ...]
    spelt_out: bool


def make_drawable(text: str) -> DrawableText:
    """Choose the fonts for a sentence; line breaks and other white space become spaces."""
    shown, families, spelt_out = [], [MAIN_FONT], False
    for char in ' '.join(text.split()):
        family = _family_of(char)
        if family is not None:
            shown.append(char)
            if family not in families:
                families.append(family)
        elif not _is_ignorable(char):
            shown.append(f'[{_spell(char)}]')
            spelt_out = True
    return DrawableText(''.join(shown).replace('][', ' '), tuple(families), spelt_out)


def wrap_text(
    text: str, measure: Callable[[str], float], width: float, *, max_lines: int
) -> list[str]:
    """Break a text into lines: at spaces, between wide characters, else inside a word.

    Args:
        text: Without line breaks.
        measure: Gives the width of a string, in the unit of ``width``.
        width: Of a line.
        max_lines: What does not fit into them is cut off, and the last line ends in an ellipsis.

    Returns:
        At least one line.
    """
    lines = ['']
    for piece in _pieces(text, measure, width):
        joined = lines[-1] + piece
        if measure(joined.rstrip()) <= width or not lines[-1]:
            lines[-1] = joined
        elif len(lines) < max_lines:
            lines.append(piece.lstrip())
        else:
            last = lines[-1].rstrip()
            while last and measure(last + '…') > width:
                last = last[:-1]
            lines[-1] = last + '…'
            break
    return [line.rstrip() for line in lines]


def _pieces(text: str, measure: Callable[[str], float], width: float):
    """Yield what may stand alone on a line, with the spaces before it."""
    for word in re.findall(r'\s*\S+', text):
        if measure(word) > width or any(unicodedata.east_asian_width(c) in 'WF' for c in word):
            yield from re.findall(r'\s*\S', word)
        else:
            yield word


@cache
def _family_of(char: str) -> str | None:
    """Find a font family that has a character, DejaVu Sans first; None where none has."""
    if ord(char) in _characters(font_manager.findfont(MAIN_FONT)):
        return MAIN_FONT
    for family, path in _other_fonts():
        if ord(char) in _characters(path):
            return family
    return None


@lru_cache(maxsize=1)
def _other_fonts() -> tuple[tuple[str, str], ...]:
    """List the other upright families and their files, those of other scripts first."""
    fonts = {
        entry.name: entry.fname
        for entry in font_manager.fontManager.ttflist
        if entry.style == 'normal' and not _PLACEHOLDER_FONT.search(entry.name)
    }
    return tuple(sorted(fonts.items(), key=lambda item: (not _PREFERRED.search(item[0]), item[0])))


@cache
def _characters(path: str) -> frozenset[int]:
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):  # gone since matplotlib made its list, or bitmaps only
        return frozenset()
    return frozenset(font.get_charmap()) if font.scalable else frozenset()


def _is_ignorable(char: str) -> bool:
    """Whether it is not seen by itself: joiners, marks of direction, variants, controls."""
    return unicodedata.category(char) in ('Cf', 'Cc') or '\ufe00' <= char <= '\ufe0f'


def _spell(char: str) -> str:
    if unicodedata.category(char) == 'So':  # emoji and other pictures have telling names
        return unicodedata.name(char, f'U+{ord(char):04X}').lower()
    return f'U+{ord(char):04X}'
