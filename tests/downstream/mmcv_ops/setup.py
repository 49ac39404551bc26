# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Three operators of mmcv as a wheel that goes beside an mmcv without any.

The sources are those of mmcv, in the folder that MMCV_SOURCES names.
"""

import os
from importlib.metadata import version
from pathlib import Path

from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CppExtension

csrc = Path(os.environ['MMCV_SOURCES']) / 'mmcv' / 'ops' / 'csrc'
names = ('nms.cpp', 'roi_align.cpp', 'cpu/nms.cpp', 'cpu/roi_align.cpp')
setup(
    name='mmcv-three-ops',
    version=version('onedl-mmcv'),
    ext_modules=[
        CppExtension(
            'mmcv._ext',
            [str(csrc / 'pytorch' / name) for name in names] + ['binding.cpp'],
            include_dirs=[str(csrc / 'common'), str(csrc / 'pytorch')],
            extra_compile_args=['-O2', '-g0'],
        )
    ],
    cmdclass=dict(build_ext=BuildExtension),
)
