# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What mirrored images do to sentences."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_remamber.datasets.transforms.place_words import mirror_sentence, names_place

SWAPPED = {
    'left man': 'right man',
    'Left MAN on the RIGHT': 'Right MAN on the LEFT',
    'leftmost': 'rightmost',
    'Right-most girl': 'Left-most girl',
    'the lefthand glass': 'the righthand glass',
    'right-handed batter': 'left-handed batter',
    'bottomright corner': 'bottomleft corner',
    'TopLeft dog': 'TopRight dog',
    'far-left, not far right': 'far-right, not far left',
    '3rd from left': '3rd from right',
    'second from right to left': 'second from left to right',
    'his left hand': 'his right hand',
    'man left of the left dog': 'man right of the right dog',
    'facing left/right': 'facing right/left',
    "the one on right's": "the one on left's",
    'on right in white': 'on left in white',
    'left_side': 'right_side',
    'bright thing on left': 'bright thing on right',
    'leftovers on the right': 'leftovers on the left',
    'café left': 'café right',
}
UNCHANGED = [
    'the man in red', 'bright upright bear', 'leftover pizza', 'top of the wright building',
    'cleft rock', 'middle zebra', '', 'dog', 'the copyright holder',
]  # fmt: skip
REFUSED = [
    'right behind the man', 'guy right next to her', 'dog right in front', 'right there',
    'right in the middle', 'right in the center', 'left by the door', 'right over there',
    'that is all right', 'right side up', 'right angle',
    'pizza that is left', 'left over pizza', 'what is left', 'the bag left open', 'none left',
    'rt guy', 'top rt', 'far l', 'r', 'lft', 'rigth lady', 'leftt man', 'rightbehind', 'éleft',
    'second man', '2nd from the camera', 'the last one', 'the first zebra',
    'clockwise from the left', 'counter-clockwise', "bike at 3 o'clock", 'two oclock',
    'northwest corner', 'east side', "driver's side", 'starboard side',
    'shirt that says left', 'the word right', 'letter R', 'number 12', '#7', '12', 'jersey 5 left',
    'the "left" key', 'shirt with writing',
]  # fmt: skip


@pytest.mark.parametrize(('text', 'mirrored'), SWAPPED.items())
def test_sides_change_places(text, mirrored):
    assert mirror_sentence(text) == mirrored
    assert mirror_sentence(mirrored) == text


@pytest.mark.parametrize('text', UNCHANGED)
def test_no_side(text):
    assert mirror_sentence(text) == text


@pytest.mark.parametrize('text', REFUSED)
def test_in_doubt(text):
    assert mirror_sentence(text) is None
    assert names_place(text)


WORDS = [
    'left', 'Right', 'LEFT', 'leftmost', 'right-hand', 'topright', 'man', 'bright', 'of', 'the',
    ',', 'red', "woman's", 'third', 'rt', 'behind', 'é', '2', 'lefty', 'upright', 'rightish',
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(text=st.lists(st.sampled_from(WORDS), max_size=8).map(' '.join))
def test_mirrored_twice_is_the_sentence(text):
    mirrored = mirror_sentence(text)
    if mirrored is not None:
        assert mirror_sentence(mirrored) == text
        assert len(mirrored.split()) == len(text.split())
        others = [w for w in text.split() if 'left' not in w.lower() and 'right' not in w.lower()]
        kept = [w for w in mirrored.split() if 'left' not in w.lower() and 'right' not in w.lower()]
        assert others == kept


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text(text):
    mirrored = mirror_sentence(text)
    if 'left' not in text.lower() and 'right' not in text.lower():
        assert mirrored in (text, None)


@pytest.mark.parametrize(
    ('text', 'place'),
    [
        ('man in red', False),
        ('biggest dog', False),
        ('woman with an umbrella', False),
        ('top shelf', True),
        ('bottommost', True),
        ('left', True),
        ('dog in the corner', True),
        ('2nd from the camera', True),
        ('stopped car', False),
    ],
)
def test_place(text, place):
    assert names_place(text) is place


def test_real_sentences(realdata):
    """Most of what people wrote about real photographs can be mirrored."""
    from mmseg_remamber.datasets.refer.reader import load_refs

    texts = {
        sentence['sent']
        for path in sorted((realdata / 'refcoco_mini').glob('*/refs(*).p'))
        for ref in load_refs(path)
        for sentence in ref['sentences']
    }
    mirrored = {text: mirror_sentence(text) for text in texts}
    assert len(texts) > 40 and sum(m is not None for m in mirrored.values()) > 0.9 * len(texts)
    assert sum(m not in (None, t) for t, m in mirrored.items()) >= 5
