# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The pictures of RefShapes: coloured, textured shapes on noise, with exact masks."""

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from pycocotools import mask as coco_mask

# name -> OpenCV hue (0..179); neighbours are at least 12 apart and the jitter is +-2
COLOURS = {'red': 0, 'orange': 13, 'yellow': 28, 'green': 60, 'blue': 110, 'purple': 142}
SHAPES = ('circle', 'square', 'triangle', 'star', 'cross', 'ring')
TEXTURES = ('plain', 'striped', 'dotted')

# One combination of each colour and of each shape is kept out of train, val and test: every
# colour and every shape is seen in training, these pairs never are.
UNSEEN = tuple(zip(COLOURS, ('star', 'ring', 'circle', 'triangle', 'square', 'cross')))
SEEN = tuple(pair for pair in product(COLOURS, SHAPES) if pair not in UNSEEN)

_MIN_VISIBLE = 0.9  # share of an object that must stay uncovered
# of the image side; shapes with thin parts need more to show their texture
_RADIUS = {'circle': (0.08, 0.18), 'square': (0.085, 0.19)}
_THIN_RADIUS = (0.105, 0.2)


@dataclass(frozen=True)
class SceneObject:
    """One shape of a scene. Lengths are fractions of the image side, y points down.

    Attributes:
        shape, colour, texture: Names from ``SHAPES``, ``COLOURS`` and ``TEXTURES``.
        cx, cy: Centroid of the visible mask.
        radius: Radius of the circle around the whole shape.
        area: Visible area, as a fraction of the image's.
        mask: (H, W) uint8 in {0, 1}, the visible part.
        segmentation: The same mask in COCO's form: a list of polygons, or compressed RLE
            where the shape has a hole or is partly covered.
    """

    shape: str
    colour: str
    texture: str
    cx: float
    cy: float
    radius: float
    area: float
    mask: np.ndarray
    segmentation: list | dict


@dataclass(frozen=True)
class Scene:
    """A picture and what is on it.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        objects: From back to front.
    """

    image: np.ndarray
    objects: tuple[SceneObject, ...]


def draw_scene(
    rng: np.random.Generator, size: int, pairs=SEEN, lead=None, min_objects=3, max_objects=6
) -> Scene:
    """Draw one scene.

    The second object shares the first one's colour, the third one its shape, so that neither
    word alone is enough to find the first.

    Args:
        rng: Source of every random choice.
        size: Image side in pixels, at least 64.
        pairs: (colour, shape) combinations the objects may have.
        lead: Combinations for the first object; ``pairs`` when None.
        min_objects, max_objects: Bounds of the number of objects.

    Raises:
        ValueError: ``size`` under 64.
    """
    if size < 64:
        raise ValueError(f'size must be at least 64 pixels to show the textures, got {size}')
    while True:
        count = int(rng.integers(min_objects, max_objects + 1))
        looks = _choose_looks(rng, count, pairs, pairs if lead is None else lead)
        circles = _place(rng, [shape for _, shape, _ in looks])
        if circles is None:
            continue
        outlines = [
            _outline(look[1], cx * size, cy * size, r * size, rng.uniform(-0.26, 0.26))
            for look, (cx, cy, r) in zip(looks, circles)
        ]
        full = [_rasterise(outline, size) for outline in outlines]
        visible = _uncover(full)
        if all(v.sum() >= _MIN_VISIBLE * f.sum() for v, f in zip(visible, full)):
            break

    image = _background(rng, size)
    for look, mask in zip(looks, full):
        _paint(rng, image, mask, look)
    image *= rng.uniform(0.85, 1.1)  # the scene's light
    image += rng.normal(0, rng.uniform(2, 9), image.shape)
    objects = tuple(
        _describe(*item, size=size) for item in zip(looks, circles, outlines, full, visible)
    )
    return Scene(np.clip(image, 0, 255).astype(np.uint8), objects)


def _choose_looks(rng, count, pairs, lead):
    """-> list of (colour, shape, texture), the lead first."""
    first = lead[rng.integers(len(lead))]
    chosen = [first]
    for index in range(1, count):
        # then: the same colour, the same shape, and anything that shares something or nothing
        rule = index if index <= 2 else rng.integers(0, 5)
        if rule == 1:
            options = [p for p in pairs if p[0] == first[0] and p[1] != first[1]]
        elif rule == 2:
            options = [p for p in pairs if p[1] == first[1] and p[0] != first[0]]
        elif rule == 3:
            options = [first]  # a twin: only place, size or texture tell it apart
        else:
            options = pairs
        chosen.append(options[rng.integers(len(options))])
    return [(*pair, TEXTURES[rng.integers(len(TEXTURES))]) for pair in chosen]


def _place(rng, shapes):
    """-> list of (cx, cy, radius) as fractions of the side, or None when there was no room."""
    circles = []
    for shape in shapes:
        for _ in range(40):
            r = rng.uniform(*_RADIUS.get(shape, _THIN_RADIUS))
            cx, cy = rng.uniform(r, 1 - r, size=2)
            if all(np.hypot(cx - x, cy - y) > 0.92 * (r + q) for x, y, q in circles):
                circles.append((cx, cy, r))
                break
        else:
            return None
    return circles


def _outline(shape, cx, cy, r, angle):
    """-> list of (N, 2) float64 outlines in pixels; for the ring the second one is its hole."""

    def around(angles, radii):
        turned = np.asarray(angles) + angle
        return np.stack([cx + radii * np.sin(turned), cy - radii * np.cos(turned)], 1).round(2)

    full_turn = 2 * np.pi
    if shape == 'circle':
        return [around(np.arange(40) * full_turn / 40, r)]
    if shape == 'ring':
        angles = np.arange(40) * full_turn / 40
        return [around(angles, r), around(angles, 0.55 * r)]
    if shape == 'square':
        return [around((np.arange(4) + 0.5) * full_turn / 4, r)]
    if shape == 'triangle':
        return [around(np.arange(3) * full_turn / 3, r)]
    if shape == 'star':
        return [around(np.arange(10) * full_turn / 10, np.where(np.arange(10) % 2, 0.42 * r, r))]
    half = 0.31  # of the cross's arm length: half the arm's width
    tip, inner = np.arctan(half), np.pi / 4
    angles = np.arange(4)[:, None] * full_turn / 4 + np.array([-tip, tip, inner])
    radii = np.array([1, 1, half * np.sqrt(2 / (1 + half**2))]) * r
    return [around(angles.ravel(), np.tile(radii, 4))]


def _rasterise(outlines, size):
    """Masks are what pycocotools decodes from the polygon, so polygons are exact."""
    rles = coco_mask.frPyObjects([outline.ravel().tolist() for outline in outlines], size, size)
    filled = coco_mask.decode(rles)
    return filled[..., 0] & ~filled[..., 1] & 1 if filled.shape[-1] == 2 else filled[..., 0]


def _uncover(full):
    """Take away from each mask what the later ones cover."""
    visible, covered = [], np.zeros_like(full[0])
    for mask in reversed(full):
        visible.append(mask & (1 - covered))
        covered |= mask
    return visible[::-1]


def _background(rng, size):
    """-> (size, size, 3) float32: a grey of little colour, blotches and grain."""
    blotches = rng.uniform(-25, 25, (int(rng.integers(3, 9)),) * 2 + (1,)).astype(np.float32)
    grey = rng.uniform(50, 200) + cv2.resize(blotches, (size, size), interpolation=cv2.INTER_CUBIC)
    tint = rng.uniform(-10, 10, 3)
    return (grey[..., None] + tint).astype(np.float32)


def _paint(rng, image, mask, look):
    colour, _, texture = look
    hue = (COLOURS[colour] + rng.integers(-2, 3)) % 180
    hsv = np.array([[[hue, rng.integers(205, 256), rng.integers(200, 256)]]], np.uint8)
    bgr = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)
    size = mask.shape[0]
    shade = np.where(_texture(rng, texture, size), np.float32(0.35), np.float32(1))
    # edges are softened in the picture only; the mask stays exact
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0.6)[..., None]
    image += alpha * (shade[..., None] * bgr - image)


def _texture(rng, texture, size):
    """-> (size, size) bool, True where the colour is darkened."""
    if texture == 'plain':
        return np.zeros((size, size), bool)
    ys, xs = np.mgrid[:size, :size] + rng.uniform(0, size, (2, 1, 1))
    angle = rng.uniform(0, np.pi)
    along = xs * np.cos(angle) + ys * np.sin(angle)
    across = ys * np.cos(angle) - xs * np.sin(angle)
    period = rng.uniform(0.048, 0.062) * size
    if texture == 'striped':
        return along % period < 0.42 * period
    dx, dy = along % period - period / 2, across % period - period / 2
    return np.hypot(dx, dy) < 0.3 * period


def _describe(look, circle, outlines, full, visible, size):
    colour, shape, texture = look
    ys, xs = np.nonzero(visible)
    if len(outlines) == 1 and np.array_equal(full, visible):
        segmentation = [outlines[0].ravel().tolist()]
    else:
        segmentation = coco_mask.encode(np.asfortranarray(visible))
        segmentation['counts'] = segmentation['counts'].decode('ascii')
    return SceneObject(
        shape=shape,
        colour=colour,
        texture=texture,
        cx=(xs.mean() + 0.5) / size,
        cy=(ys.mean() + 0.5) / size,
        radius=circle[2],
        area=len(xs) / size**2,
        mask=visible,
        segmentation=segmentation,
    )
