# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A work dir knows its files by name: copied, moved or renamed it goes on by itself."""

import shutil
from pathlib import Path

import pytest
import tiny_training
import torch

from mmseg_remamber.checkpoints import latest_checkpoint


def config(scenes, work, iters, **checkpoint):
    cfg = tiny_training.tiny_config(scenes, work)
    cfg.train_cfg.update(max_iters=iters, val_interval=2)
    cfg.default_hooks.checkpoint = dict(
        type='RefSegCheckpointHook', by_epoch=False, interval=2, max_keep_ckpts=1, rule='greater',
        **dict(dict(save_best='oIoU'), **checkpoint),
    )  # fmt: skip
    return cfg


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).glob('*.pth')}


def made_worse(work):
    """Every checkpoint's best score so far is under that of any model."""
    for path in Path(work).glob('*.pth'):
        state = torch.load(path, weights_only=False)
        info = state['message_hub']['runtime_info']
        info.update({name: -1.0 for name in info if name.startswith('best_score')})
        torch.save(state, path)


@pytest.mark.parametrize('save_best', ['oIoU', ['oIoU', 'mIoU']])
def test_a_copied_work_dir_leaves_the_original_alone(scenes, tmp_path, save_best):
    original, copy = tmp_path / 'P', tmp_path / 'Q'
    tiny_training.train(config(scenes, original, 2, save_best=save_best))
    made_worse(original)
    shutil.copytree(original, copy)
    before = files(original)
    assert {'iter_2.pth', 'best_oIoU_iter_2.pth'} <= set(before)
    cfg = config(scenes, copy, 4, save_best=save_best)
    cfg.resume = True
    runner, recorder = tiny_training.train(cfg)
    assert sorted(recorder.losses) == [2, 3]
    assert files(original) == before
    # in the copy the better one took the place of its own
    assert 'best_oIoU_iter_4.pth' in files(copy) and 'best_oIoU_iter_2.pth' not in files(copy)
    assert runner._load_from == str(copy / 'iter_2.pth')


def test_a_renamed_work_dir_is_resumed(scenes, tmp_path):
    tiny_training.train(config(scenes, tmp_path / 'old', 2))
    (tmp_path / 'old').rename(tmp_path / 'new [1], a+b=c')
    cfg = config(scenes, tmp_path / 'new [1], a+b=c', 4)
    cfg.resume = True
    _, recorder = tiny_training.train(cfg)
    assert sorted(recorder.losses) == [2, 3] and not (tmp_path / 'old').exists()


def test_the_last_checkpoint_is_found_by_name(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    record = tmp_path / 'last_checkpoint'
    record.write_text('/gone/work/iter_3.pth\n')
    with pytest.raises(FileNotFoundError, match=r"names 'iter_3.pth', which is neither in .* nor"):
        latest_checkpoint(tmp_path)
    (tmp_path / 'iter_3.pth').write_bytes(b'')
    assert latest_checkpoint(tmp_path) == tmp_path / 'iter_3.pth'
    # written elsewhere by the hook's out_dir
    elsewhere = tmp_path / 'out'
    elsewhere.mkdir()
    (elsewhere / 'iter_4.pth').write_bytes(b'')
    record.write_text(str(elsewhere / 'iter_4.pth'))
    assert latest_checkpoint(str(tmp_path)) == elsewhere / 'iter_4.pth'


def test_a_run_without_a_checkpoint_starts(scenes, tmp_path):
    cfg = config(scenes, tmp_path, 2)
    cfg.resume = True
    _, recorder = tiny_training.train(cfg)
    assert sorted(recorder.losses) == [0, 1]
