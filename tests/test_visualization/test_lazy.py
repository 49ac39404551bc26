# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What starts a model or its training does not wait for a library that draws."""

import json
import os
import subprocess
import sys

PROGRAM = """
import json, sys

import numpy as np


def imported(*names):
    return [name for name in names if name in sys.modules]


import mmseg_remamber.datasets.inspection
seen = dict(datasets=imported('matplotlib', 'gradio', 'transformers'))

import mmseg_remamber.apis
import mmseg_remamber.register
seen['all'] = imported('matplotlib', 'gradio')

from mmengine.config import Config
from mmseg.registry import VISUALIZERS
cfg = Config.fromfile('configs/_base_/default_runtime.py')
visualizer = VISUALIZERS.build(dict(cfg.visualizer, name='start', save_dir=sys.argv[1]))
visualizer.add_config(cfg)
visualizer.add_scalar('loss', 1.0, step=1)
seen['training'] = imported('matplotlib', 'gradio')

from mmseg_remamber.visualization import draw_errors
mask = np.eye(9, dtype=bool)
draw_errors(np.zeros((9, 9, 3), np.uint8), mask, mask, 'it')
seen['picture'] = imported('matplotlib', 'gradio')
print(json.dumps(seen))
"""


def test_no_library_is_imported_before_it_is_used(root, tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, str(tmp_path)],
        cwd=root,
        env=os.environ | dict(PYTHONPATH=str(root), OMP_NUM_THREADS='1'),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen == dict(datasets=[], all=[], training=[], picture=['matplotlib'])
