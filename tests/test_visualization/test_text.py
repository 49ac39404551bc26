# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from mmseg_remamber.visualization import text as module
from mmseg_remamber.visualization.text import MAIN_FONT, make_drawable, wrap_text


@pytest.fixture
def only_dejavu(monkeypatch):
    """As on a machine without other fonts."""
    module._family_of.cache_clear()
    monkeypatch.setattr(module, '_other_fonts', lambda: ())
    yield
    module._family_of.cache_clear()


def test_scripts_of_dejavu_are_drawn_as_they_are():
    got = make_drawable('the dog\n on  the\tleft, дом, σπίτι')
    assert got.text == 'the dog on the left, дом, σπίτι'
    assert got.families == (MAIN_FONT,)
    assert not got.spelt_out


def test_what_no_font_has_is_spelt_out(only_dejavu):
    got = make_drawable('the 红色 dog 🦀')
    assert got.text == 'the [U+7EA2 U+8272] dog [crab]'
    assert got.spelt_out


def test_an_installed_font_is_found(monkeypatch):
    """Any font that matplotlib knows and that has a character which DejaVu Sans lacks."""
    module._family_of.cache_clear()
    main = FT2Font(font_manager.findfont(MAIN_FONT)).get_charmap()
    for _, path in module._other_fonts():
        more = module._characters(path) - set(main)
        if more:
            break
    else:
        pytest.skip('no font here has a character that DejaVu Sans lacks')
    char = next(chr(code) for code in sorted(more) if chr(code).strip())
    got = make_drawable(f'a {char}')
    assert got.text == f'a {char}' and not got.spelt_out
    assert len(got.families) == 2


def test_placeholder_fonts_are_not_used():
    assert not [name for name, _ in module._other_fonts() if 'last' in name.lower()]


@pytest.mark.parametrize(
    ('text', 'lines'),
    [
        ('', ['']),
        ('aa bb', ['aa bb']),
        ('aaa bbb ccc', ['aaa', 'bbb', 'ccc']),
        ('a b c d', ['a b c', 'd']),
        ('aaaaaaaa bb', ['aaaaa', 'aaa', 'bb']),
        ('红红红红红红红', ['红红红红红', '红红']),
    ],
)
def test_lines(text, lines):
    assert wrap_text(text, len, 5, max_lines=9) == lines


def test_what_does_not_fit_ends_in_an_ellipsis():
    assert wrap_text('aa bb cc dd ee ff', len, 5, max_lines=2) == ['aa bb', 'cc d…']
    assert wrap_text('aa bb cc dd', len, 5, max_lines=2) == ['aa bb', 'cc dd']
    assert wrap_text('w' * 10000, len, 5, max_lines=2) == ['wwwww', 'wwww…']


def test_a_line_too_narrow_for_a_character():
    assert wrap_text('ab', len, 0.5, max_lines=5) == ['a', 'b']
