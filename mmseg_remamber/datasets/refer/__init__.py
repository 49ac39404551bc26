# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of the REFER layout: read as plain data, checked, and kept checked."""
