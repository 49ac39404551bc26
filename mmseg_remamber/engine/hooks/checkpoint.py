# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that a work dir knows by name, wherever the work dir is."""

from pathlib import Path

from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class RefSegCheckpointHook(CheckpointHook):
    """mmengine's CheckpointHook for work dirs that were copied, moved or renamed.

    A checkpoint records the best one so far by its path. mmengine's hook removes what stands there
    once another is better: of a copied work dir, the original's. This one looks for the recorded
    name in the folder that it writes to. Arguments are those of
    :class:`mmengine.hooks.CheckpointHook`.
    """

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if getattr(self, 'best_ckpt_path', None) is not None:
            self.best_ckpt_path = self._here(self.best_ckpt_path)
        best = getattr(self, 'best_ckpt_path_dict', {})
        for indicator, path in best.items():
            if path is not None:
                best[indicator] = self._here(path)

    def _here(self, path: str) -> str:
        return self.file_backend.join_path(self.out_dir, Path(path).name)
