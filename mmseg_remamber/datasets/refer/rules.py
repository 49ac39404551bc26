# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What datasets of the REFER layout differ in, told once to all that read them.

A dataset class names its rules, and so does the entry of a published dataset; the loader, the
check of a download and the tools that look at refs have no others.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RefRules:
    """How the refs of a dataset are read.

    Attributes:
        stem: Of the refs file's name, ``<stem>(<split_by>).p``.
        several_targets: Whether ``ann_id`` of a ref is a list, of any number of objects.
        skip_unsaid: Whether a ref with an empty list of sentences is left out and counted. If not
            it is an error.
    """

    stem: str = 'refs'
    several_targets: bool = False
    skip_unsaid: bool = False


REFER = RefRules()
# The released file has refs without sentences, which its authors say to skip:
# https://github.com/henghuiding/gRefCOCO/issues/3 and /8
GREFCOCO = RefRules(stem='grefs', several_targets=True, skip_unsaid=True)
