# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from .referring import ReferringSegmentor

__all__ = ['ReferringSegmentor']
