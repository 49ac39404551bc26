# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks of sentences in pictures: python tools/infer.py IMAGE SENTENCE [SENTENCE ...] --out OUT

The same as `python -m mmseg_remamber`, whose --help has the options.
"""

import sys

from mmseg_remamber.__main__ import main

if __name__ == '__main__':
    sys.exit(main())
