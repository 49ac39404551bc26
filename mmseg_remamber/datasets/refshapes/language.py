# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The sentences of RefShapes, and when they are unambiguous.

Every statement about an object is true, false or unclear (``None``). An expression is used only
where it is true of the object meant and false of every other one: a scene in which a person
could hesitate gets no such sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from .scenes import SceneObject

_GENERIC = ('shape', 'object', 'thing')

# place -> the direction from the image's centre towards it
_SIDES = {'left': (-1, 0), 'right': (1, 0), 'top': (0, -1), 'bottom': (0, 1)}
_CORNERS = {
    'top left': (-1, -1),
    'top right': (1, -1),
    'bottom left': (-1, 1),
    'bottom right': (1, 1),
}
# fractions of the side: further towards the place is in it, less far is out of it
_INSIDE, _OUTSIDE = 0.1, 0.0

_EXTREMES = {
    'leftmost': (-1, 0),
    'rightmost': (1, 0),
    'highest': (0, -1),
    'lowest': (0, 1),
}
_EXTREME_MARGIN = 0.12

_SIZE_MARGIN = 1.3  # of length: both the radius and the square root of the area

_DIRECTIONS = {'above': (0, -1), 'below': (0, 1), 'left of': (-1, 0), 'right of': (1, 0)}
_RELATION_WORDS = {
    'above': ('above',),
    'below': ('below', 'under'),
    'left of': ('to the left of', 'left of'),
    'right of': ('to the right of', 'right of'),
    'nearest': ('closest to', 'nearest to'),
}


@dataclass(frozen=True)
class Phrase:
    """A noun phrase, "striped red circle"; an attribute that is None is not said."""

    texture: str | None = None
    colour: str | None = None
    shape: str | None = None

    def fits(self, obj: SceneObject) -> bool:
        """Whether the phrase is true of an object."""
        return (
            self.texture in (None, obj.texture)
            and self.colour in (None, obj.colour)
            and self.shape in (None, obj.shape)
        )

    def words(self, rng: np.random.Generator) -> str:
        """Write the phrase; without a shape it says 'shape', 'object' or 'thing'."""
        noun = self.shape or _GENERIC[rng.integers(len(_GENERIC))]
        return ' '.join(word for word in (self.texture, self.colour, noun) if word)


def expressions_for(
    rng: np.random.Generator, objects: tuple[SceneObject, ...], target: int, count: int
) -> list[str]:
    """Write unambiguous expressions for one object, of as many different kinds as there are.

    Args:
        rng: Source of every random choice.
        objects: All objects of the scene.
        target: Index of the object meant.
        count: The most to return.

    Returns:
        Up to ``count`` different sentences; fewer, or none, where no more are unambiguous.
    """
    pools = []
    for kind in (_by_place, _by_extreme, _by_size, _by_relation):
        found = list(kind(rng, objects, target))
        rng.shuffle(found)
        pools.append(found)
    rng.shuffle(pools)
    attributes = list(_by_attributes(rng, objects, target))
    rng.shuffle(attributes)
    pools.insert(0, attributes)  # people name what a thing looks like before where it is
    sentences = []
    while any(pools) and len(sentences) < count:
        for pool in pools:
            if pool and len(sentences) < count:
                sentence = pool.pop()
                if rng.random() < 0.7:
                    sentence = f'the {sentence}'
                if sentence not in sentences:
                    sentences.append(sentence)
    return sentences


def _phrases(obj: SceneObject) -> Iterator[Phrase]:
    for texture, colour, shape in product(
        (None, obj.texture), (None, obj.colour), (None, obj.shape)
    ):
        if texture is None or colour or shape:  # nobody says "the striped thing"
            yield Phrase(texture, colour, shape)


def _rivals(objects, target, phrase):
    """List the other objects that the phrase fits; where there are none it says enough."""
    return [o for i, o in enumerate(objects) if i != target and phrase.fits(o)]


def _is_only_one(truth, target, rivals) -> bool:
    return truth(target) is True and all(truth(rival) is False for rival in rivals)


def _by_attributes(rng, objects, target):
    obj = objects[target]
    for phrase in _phrases(obj):
        if phrase == Phrase() or _rivals(objects, target, phrase):
            continue
        words = (phrase.texture, phrase.colour, phrase.shape)
        shorter = [
            Phrase(*(w if i != drop else None for i, w in enumerate(words)))
            for drop in range(3)
            if words[drop]
        ]
        # nothing said in vain, but colour with shape is how people speak
        minimal = all(_rivals(objects, target, p) for p in shorter)
        if minimal or phrase == Phrase(None, obj.colour, obj.shape):
            yield phrase.words(rng)


def _contested(objects, target):
    """Yield the phrases that need something more, each with the rivals that it leaves."""
    for phrase in _phrases(objects[target]):
        rivals = _rivals(objects, target, phrase)
        if rivals:
            yield phrase, rivals


def _in_place(direction):
    def truth(obj):
        ahead = [sign * (centre - 0.5) for sign, centre in zip(direction, (obj.cx, obj.cy)) if sign]
        if all(a > _INSIDE for a in ahead):
            return True
        return False if any(a < _OUTSIDE for a in ahead) else None

    return truth


def _in_middle(obj):
    distance = np.hypot(obj.cx - 0.5, obj.cy - 0.5)
    if distance < 0.1:
        return True
    return False if distance > 0.25 else None


def _by_place(rng, objects, target):
    obj = objects[target]
    for phrase, rivals in _contested(objects, target):
        for name, direction in (_SIDES | _CORNERS).items():
            if _is_only_one(_in_place(direction), obj, rivals):
                words = phrase.words(rng)
                at = 'in' if name in _CORNERS else 'at' if name in ('top', 'bottom') else 'on'
                yield f'{words} {at} the {name}' if rng.random() < 0.6 else f'{name} {words}'
        if _is_only_one(_in_middle, obj, rivals):
            yield f'{phrase.words(rng)} in the {("middle", "center")[rng.integers(2)]}'


def _by_extreme(rng, objects, target):
    obj = objects[target]
    for phrase, rivals in _contested(objects, target):
        for name, (sx, sy) in _EXTREMES.items():
            ahead = sx * obj.cx + sy * obj.cy
            if all(ahead - (sx * r.cx + sy * r.cy) > _EXTREME_MARGIN for r in rivals):
                yield f'{name} {phrase.words(rng)}'


def _larger(a, b) -> bool:
    return a.radius > _SIZE_MARGIN * b.radius and a.area > _SIZE_MARGIN**2 * b.area


def _by_size(rng, objects, target):
    obj = objects[target]
    for phrase, rivals in _contested(objects, target):
        if all(_larger(obj, rival) for rival in rivals):
            words = ('larger', 'bigger', 'big') if len(rivals) == 1 else ('largest', 'biggest')
        elif all(_larger(rival, obj) for rival in rivals):
            words = ('smaller', 'small', 'little') if len(rivals) == 1 else ('smallest',)
        else:
            continue
        yield f'{words[rng.integers(len(words))]} {phrase.words(rng)}'


def _towards(direction, anchor):
    """Make the statement that an object is on that side of the anchor, and not beside it."""

    def truth(obj):
        dx, dy = obj.cx - anchor.cx, obj.cy - anchor.cy
        ahead = direction[0] * dx + direction[1] * dy
        aside = abs(direction[1] * dx) + abs(direction[0] * dy)
        if ahead > 0.12 and aside < 0.6 * ahead:
            return True
        return False if ahead < 0.02 or aside > 1.7 * ahead else None

    return truth


def _is_nearest(obj, rivals, anchor) -> bool:
    def distances(o):
        centres = np.hypot(o.cx - anchor.cx, o.cy - anchor.cy)
        return centres, centres - o.radius - anchor.radius

    near, gap = distances(obj)
    return all(
        d > 1.35 * near and g > gap + 0.08 for d, g in (distances(rival) for rival in rivals)
    )


def _by_relation(rng, objects, target):
    obj = objects[target]
    anchors = []
    for index, anchor in enumerate(objects):
        for named in (Phrase(shape=anchor.shape), Phrase(colour=anchor.colour, shape=anchor.shape)):
            if index != target and not _rivals(objects, index, named):
                anchors.append((anchor, named))
                break
    for phrase, fitting in _contested(objects, target):
        for anchor, named in anchors:
            rivals = [rival for rival in fitting if rival is not anchor]
            if not rivals:
                continue
            relations = [
                name
                for name, direction in _DIRECTIONS.items()
                if _is_only_one(_towards(direction, anchor), obj, rivals)
            ]
            if _is_nearest(obj, rivals, anchor):
                relations.append('nearest')
            for name in relations:
                options = _RELATION_WORDS[name]
                relation = options[rng.integers(len(options))]
                yield f'{phrase.words(rng)} {relation} the {named.words(rng)}'
