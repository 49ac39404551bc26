# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A name that a folder may have, and that something may take for more than a name.

It has what shells, globs, comma-separated lists, addresses, formats, matplotlib's mathematics and
encodings give a meaning to.
"""

ODD = 'my photos, [été] a+b=c 図 #1 100% "$x_1$" {y} -- 写真'
