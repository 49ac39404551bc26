# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import math

import pytest
import tiny_training as training
import torch
from mmengine.hooks import Hook


def scalars(runner, work):
    """Lines of the JSON log."""
    file = work / runner.timestamp / 'vis_data' / 'scalars.json'
    return [json.loads(line) for line in file.read_text().splitlines()]


class SetBias(Hook):
    """Sets the head's last bias before an iteration."""

    def __init__(self, iteration, value):
        self.iteration = iteration
        self.value = value

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            *_, parameter = runner.model.decode_head.parameters()
            parameter.data.fill_(self.value)


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_and_names_the_batch(shapes, tmp_path, value):
    cfg = training.tiny_config(shapes, tmp_path)
    cfg.default_hooks.checkpoint.interval = 1
    recorder = training.Recorder()
    with pytest.raises(FloatingPointError, match='not finite in iteration 3') as error:
        training.train(cfg, hooks=[recorder, SetBias(2, value)])
    message = str(error.value)
    samples = message.partition('the batch:\n')[2].splitlines()
    assert len(samples) == 2
    for line in samples:
        assert all(part in line for part in ('img_path', 'ref_id', 'sent_id', 'text', str(shapes)))
    assert (tmp_path / 'iter_2.pth').is_file()
    assert not (tmp_path / 'iter_3.pth').is_file()


def test_gradients_that_overflow_are_no_such_loss(shapes, tmp_path):
    class Overflow(Hook):
        def before_train(self, runner):
            next(runner.model.parameters()).register_hook(lambda g: torch.full_like(g, math.inf))

    cfg = training.tiny_config(shapes, tmp_path)
    cfg.train_cfg.max_iters = 2
    cfg.optim_wrapper.type = 'CPUAmpOptimWrapper'
    _, recorder = training.train(cfg, hooks=[Overflow()])
    assert recorder.scales == [2.0**7, 2.0**6]  # both steps were left out
    assert all(math.isfinite(loss) for loss in recorder.losses.values())


def test_gallery_of_the_same_sentences_at_each_validation(shapes, tmp_path, monkeypatch):
    import mmcv

    from mmseg_remamber.visualization import gallery

    cfg = training.by_epochs(training.tiny_config(shapes, tmp_path), 2)
    cfg.train_dataloader.dataset.indices = 2
    cfg.default_hooks.gallery.num = 3
    shown = []
    original = gallery.draw_gallery

    def draw(groups, path, **options):
        (predictions,) = groups.values()
        shown.append([item.text for item in predictions])
        original(groups, path, **options)

    monkeypatch.setattr(gallery, 'draw_gallery', draw)
    runner, _ = training.train(cfg)
    texts = [info['text'] for info in iterate(runner.val_dataloader.dataset)]
    middle = round((len(texts) - 1) / 2)
    assert shown == [[texts[0], texts[middle], texts[-1]]] * 2
    folder = tmp_path / runner.timestamp / 'vis_data' / 'vis_image'
    assert sorted(file.name for file in folder.iterdir()) == ['gallery_1.png', 'gallery_2.png']
    assert mmcv.imread(folder / 'gallery_2.png').std() > 5


def iterate(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_gallery_refuses_a_negative_number():
    from mmseg_remamber.engine import RefSegGalleryHook

    with pytest.raises(ValueError, match='num must be at least 0, got -1'):
        RefSegGalleryHook(num=-1)


def test_both_sets_of_weights_are_evaluated(shapes, tmp_path):
    from mmengine.runner import load_checkpoint

    cfg = training.tiny_config(shapes, tmp_path)
    cfg.custom_hooks = [dict(training.EMA, momentum=1e-4, evaluate_trained=True)]
    cfg.train_cfg.update(max_iters=4, val_interval=4)
    cfg.default_hooks.checkpoint.interval = 4
    # the trained weights see the object everywhere, the averaged ones hardly moved
    runner, _ = training.train(cfg, hooks=[SetBias(3, 20.0)])
    line = scalars(runner, tmp_path)[-1]
    assert line['trained_mIoU'] != line['mIoU']
    saved = torch.load(tmp_path / 'iter_4.pth', weights_only=False)
    trained = {
        key.removeprefix('module.'): value
        for key, value in saved['ema_state_dict'].items()
        if key.startswith('module.')
    }
    runner.model.load_state_dict(trained)
    assert evaluate(runner)['mIoU'] == pytest.approx(line['trained_mIoU'])
    load_checkpoint(runner.model, str(tmp_path / 'iter_4.pth'), strict=True)
    assert evaluate(runner)['mIoU'] == pytest.approx(line['mIoU'])


@torch.no_grad()
def evaluate(runner):
    runner.model.eval()
    for batch in runner.val_dataloader:
        runner.val_evaluator.process(runner.model.val_step(batch), batch)
    return runner.val_evaluator.evaluate(len(runner.val_dataloader.dataset))


def test_tensorboard_takes_scalars_and_pictures(shapes, tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    cfg = training.tiny_config(shapes, tmp_path)
    cfg.default_hooks.gallery.num = 1
    cfg.visualizer.vis_backends.append(dict(type='TensorboardVisBackend'))
    runner, recorder = training.train(cfg)
    runner.visualizer.close()
    events = EventAccumulator(str(tmp_path / runner.timestamp / 'vis_data')).Reload()
    values = [item.value for item in events.Scalars('loss')]
    assert values[0] == pytest.approx(recorder.losses[0])
    assert [item.step for item in events.Images('gallery')] == [4, 6]


def test_unknown_signals_are_refused():
    from mmseg_remamber.engine import StopOnSignalHook

    with pytest.raises(ValueError, match=r"must be among .*'SIGTERM'.*, got 'SIGSTOPP'"):
        StopOnSignalHook(signals=['SIGSTOPP'])
