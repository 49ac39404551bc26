# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Referring image segmentation with Mamba models for MMSegmentation.

Importing the package costs nothing; ``mmseg_remamber.register``, which configs name in
``custom_imports``, registers its modules.
"""

from mmseg_remamber.version import __version__

__all__ = ['__version__']
