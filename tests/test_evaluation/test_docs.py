# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The hand-computed examples of the documentation."""

import doctest

from mmseg_remamber.evaluation import RefSegMetric


def test_metrics(root, capsys):
    RefSegMetric()  # mmengine's one remark on its prefix comes here, not among the examples
    found = doctest.testfile(str(root / 'docs' / 'metrics.md'), module_relative=False)
    assert found.failed == 0, capsys.readouterr().out
    assert found.attempted > 20
