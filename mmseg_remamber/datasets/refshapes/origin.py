# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What RefShapes is, and which pictures cannot be of its kind.

A scene has three objects or more of a strong colour, which do not fill half of it, on a ground of
one tint whose lightness changes slowly. A photograph has either no strong colour, or a ground of
many tints and edges. ``tests/test_datasets/test_origin.py`` holds the limits over scenes of every
size and over photographs. What shows one bright thing in the dark passes for a scene.
"""

REFSHAPES = dict(
    name='RefShapes',
    pictures='drawings of coloured shapes on plain grey',
    sentences="English phrases of a shape's colour, texture, size and place",
    limits=dict(strong_colour=[0.02, 0.5], uneven_ground=[0.0, 0.1]),
)
