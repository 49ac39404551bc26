# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .gallery import Prediction, draw_gallery, overlay

__all__ = ['Prediction', 'draw_gallery', 'overlay']
