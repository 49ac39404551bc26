# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""An interrupted and resumed run is the uninterrupted one, bit for bit."""

import pytest
import tiny_training as training
from mmengine.config import ConfigDict


def interrupted_and_resumed(cfg, work, stop_after):
    """Pull the plug after an iteration that wrote a checkpoint, then resume."""
    cfg = cfg.copy()
    cfg.work_dir = str(work)
    cfg.default_hooks.checkpoint.interval = stop_after
    _, before = training.train(cfg, stop_after=stop_after)
    cfg.resume = True
    cfg.default_hooks.checkpoint.interval = 10**6
    runner, after = training.train(cfg)
    assert min(after.losses) == stop_after
    return runner, before, after


@pytest.mark.slow
@pytest.mark.parametrize(
    ('by_epoch', 'workers', 'stop_after', 'design'),
    [
        (False, 0, 3, 'remamber-conv'),
        (False, 2, 3, 'remamber-conv'),
        (True, 0, 3, 'remamber-conv'),
        (True, 2, 3, 'remamber-conv'),
        (True, 0, 4, 'remamber-conv'),
        (False, 0, 3, 'lavt'),
        (False, 0, 3, 'lgformer'),
    ],
)
def test_same_losses_weights_and_average(shapes, tmp_path, by_epoch, workers, stop_after, design):
    cfg = training.tiny_config(shapes, tmp_path / 'whole', workers=workers, design=design)
    if by_epoch:
        cfg.train_dataloader.dataset.indices = 8  # four iterations: 4 ends an epoch, 3 does not
        cfg = training.by_epochs(cfg, 2)
    whole, want = training.train(cfg)
    resumed, before, after = interrupted_and_resumed(cfg, tmp_path / 'parts', stop_after)
    assert before.losses | after.losses == want.losses
    assert before.batches | after.batches == want.batches
    assert before.places | after.places == want.places
    training.assert_same(training.end_state(whole), training.end_state(resumed))


@pytest.mark.parametrize('design', ['remamber-conv', 'lavt', 'lgformer'])
def test_mixed_precision_and_its_loss_scale_are_kept(shapes, tmp_path, design):
    cfg = training.tiny_config(shapes, tmp_path / 'whole', design=design)
    cfg.optim_wrapper.type = 'CPUAmpOptimWrapper'
    whole, want = training.train(cfg)
    resumed, before, after = interrupted_and_resumed(cfg, tmp_path / 'parts', 3)
    assert before.scales + after.scales == want.scales
    assert before.losses | after.losses == want.losses
    training.assert_same(training.end_state(whole), training.end_state(resumed))


def test_drop_path_and_sentences_are_random(shapes, tmp_path):
    cfg = training.tiny_config(shapes, tmp_path / 'a')
    cfg.train_dataloader.dataset.indices = 1
    cfg.train_dataloader.batch_size = 1
    cfg.optim_wrapper.optimizer.lr = 0.0
    _, recorder = training.train(cfg)
    assert len(set(recorder.losses.values())) > 1
    sentences = [text for ((_, text),) in recorder.batches.values()]
    assert len(set(sentences)) > 1
    cfg.work_dir = str(tmp_path / 'b')
    cfg.randomness.seed = 1
    assert training.train(cfg)[1].losses != recorder.losses


def test_the_data_does_not_depend_on_workers(shapes, tmp_path):
    batches = []
    for workers in (0, 2):
        cfg = training.tiny_config(shapes, tmp_path / str(workers), workers=workers)
        batches.append(training.train(cfg)[1].batches)
    assert batches[0] == batches[1]


def test_each_epoch_has_another_order_and_other_sentences(shapes, tmp_path):
    cfg = training.by_epochs(training.tiny_config(shapes, tmp_path), 2)
    _, recorder = training.train(cfg)
    half = len(recorder.batches) // 2
    first = [s for i in range(half) for s in recorder.batches[i]]
    second = [s for i in range(half, 2 * half) for s in recorder.batches[i]]
    assert [ref for ref, _ in first] != [ref for ref, _ in second]
    assert dict(first) != dict(second)


def test_the_seed_of_the_checkpoint_is_kept(shapes, tmp_path):
    cfg = training.tiny_config(shapes, tmp_path / 'whole')
    _, want = training.train(cfg)
    cfg.work_dir = str(tmp_path / 'parts')
    cfg.default_hooks.checkpoint.interval = 3
    training.train(cfg, stop_after=3)
    cfg.resume = True
    cfg.randomness = ConfigDict(seed=77)
    _, after = training.train(cfg)
    assert after.losses == {i: want.losses[i] for i in (3, 4, 5)}


def test_skipped_samples_are_not_loaded(shapes, tmp_path, monkeypatch):
    from mmseg_remamber.datasets.transforms import LoadRefImage

    cfg = training.by_epochs(training.tiny_config(shapes, tmp_path), 1)
    cfg.train_dataloader.dataset.indices = 8
    cfg.default_hooks.checkpoint.interval = 3
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    training.train(cfg, stop_after=3)
    loaded = []
    original = LoadRefImage.transform
    monkeypatch.setattr(
        LoadRefImage, 'transform', lambda self, r: loaded.append(r) or original(self, r)
    )
    cfg.resume = True
    training.train(cfg)
    assert len(loaded) == 2


def test_another_batch_size_is_taken_at_the_end_of_an_epoch_only(shapes, tmp_path):
    cfg = training.by_epochs(training.tiny_config(shapes, tmp_path), 2)
    cfg.train_dataloader.dataset.indices = 8
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=-1)
    training.train(cfg, stop_after=6)
    cfg.resume = True
    cfg.train_dataloader.batch_size = 4
    cfg.load_from = str(tmp_path / 'iter_3.pth')
    with pytest.raises(ValueError, match='after 3 of 4 iterations of an epoch, which now has 2'):
        training.train(cfg)
    cfg.load_from = str(tmp_path / 'iter_4.pth')
    _, after = training.train(cfg)
    assert sorted(after.losses) == [2, 3]
    assert [len(batch) for batch in after.batches.values()] == [4, 4]


def test_a_resume_within_a_gradient_accumulation_is_told(shapes, tmp_path):
    cfg = training.tiny_config(shapes, tmp_path)
    cfg.optim_wrapper.accumulative_counts = 2
    cfg.default_hooks.checkpoint.interval = 3
    training.train(cfg, stop_after=3)
    cfg.resume = True
    runner, _ = training.train(cfg)
    log = next((tmp_path / runner.timestamp).glob('*.log')).read_text()
    assert 'iteration 3 lies within a gradient accumulation' in log


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(batch_sampler=dict(type='BatchSampler')), 'has a batch_sampler'),
        (dict(sampler=None), 'must be a config with a sampler'),
    ],
)
def test_a_dataloader_that_cannot_resume_is_refused(shapes, tmp_path, change, message):
    cfg = training.tiny_config(shapes, tmp_path)
    cfg.train_dataloader.update(change)
    if change == dict(sampler=None):
        del cfg.train_dataloader['sampler']
    with pytest.raises(TypeError, match=message):
        training.train(cfg)
