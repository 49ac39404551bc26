# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Five steps of a config; the losses, sentences and weights of this process go to OUT<rank>.pt.

[torchrun ...] train_in_processes.py CONFIG OUT
"""

import sys

import tiny_training as training
import torch
from mmengine.config import Config
from mmseg.utils import register_all_modules

from mmseg_remamber.engine import leave_process_group

if __name__ == '__main__':
    register_all_modules(init_default_scope=True)
    runner, recorder = training.train(Config.fromfile(sys.argv[1]))
    model = getattr(runner.model, 'module', runner.model)
    torch.save(
        dict(losses=recorder.losses, batches=recorder.batches, weights=model.state_dict()),
        f'{sys.argv[2]}{runner.rank}.pt',
    )
    leave_process_group()
