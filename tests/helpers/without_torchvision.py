# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""mmpretrain is imported by importing this, in an environment without torchvision."""

import stand_ins

stand_ins.import_mmpretrain()
