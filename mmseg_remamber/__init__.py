# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Referring image segmentation with Mamba models for MMSegmentation.

Importing the package costs nothing; ``mmseg_remamber.models``, ``.datasets`` and ``.evaluation``
register their modules when a config names them in ``custom_imports``.
"""

__version__ = '0.1.0'
