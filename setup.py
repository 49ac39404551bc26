# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Packaging of mmseg_remamber. The scan op is a distribution of its own, in selective_scan/."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r"__version__ = '([^']+)'", (ROOT / 'mmseg_remamber' / '__init__.py').read_text()
).group(1)

setup(
    name='mmseg_remamber',
    version=VERSION,
    description='Referring image segmentation with Mamba models for MMSegmentation',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['mmseg_remamber', 'mmseg_remamber.*']),
    # ranges that are meant to work; requirements.txt has the versions that are tested
    install_requires=[
        'selective-scan-op',
        'torch>=2.10',
        'onedl-mmengine>=0.10.12',
        'onedl-mmcv>=2.3.6',
        'onedl-mmsegmentation>=1.4.2',
        'transformers>=4.40',
        'pycocotools>=2.0.7',
        'safetensors>=0.4',
        'numpy',
        'opencv-python',
        'pillow',
        'matplotlib',
        'rich',
    ],
    # demo/requirements.txt has the versions that are tested
    extras_require={'demo': ['gradio>=6']},
)
