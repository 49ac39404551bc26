# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import mmcv
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import HOOKS, VISUALIZERS
from mmseg.structures import SegDataSample
from PIL import Image

from mmseg_remamber.engine import RefSegVisualizationHook
from mmseg_remamber.visualization import draw_caption, draw_errors, draw_masks

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def sample(path='a.png'):
    item = SegDataSample(metainfo=dict(img_path=str(path), text='the dog'))
    item.gt_sem_seg = PixelData(data=(torch.arange(600).view(1, 20, 30) < 300).long())
    item.pred_sem_seg = PixelData(data=(torch.arange(600).view(1, 20, 30) > 200).byte())
    return item


def masks_of(item):
    """Truth and prediction, (H, W) bool."""
    return [field.data[0].numpy() > 0 for field in (item.gt_sem_seg, item.pred_sem_seg)]


@pytest.fixture
def visualizer(tmp_path):
    return VISUALIZERS.build(
        dict(
            type='RefSegVisualizer',
            name=f'visualizer_{tmp_path.name}',
            vis_backends=[dict(type='LocalVisBackend')],
            save_dir=str(tmp_path / 'logs'),
        )
    )


def test_what_is_drawn(visualizer):
    item = sample()
    truth, found = masks_of(item)
    for options, want in (
        (dict(), draw_errors(IMAGE, truth, found, 'the dog')),
        (dict(draw_gt=False), draw_masks(IMAGE, [found], ['the dog'])),
        (dict(draw_pred=False), draw_masks(IMAGE, [truth], ['truth: the dog'])),
        (dict(draw_gt=False, draw_pred=False), draw_caption(IMAGE, 'the dog')),
    ):
        visualizer.add_datasample('x', IMAGE, item, **options)
        assert (visualizer.get_image() == want).all()


def test_where_it_goes(visualizer, tmp_path):
    visualizer.add_datasample('seen', IMAGE, sample(), step=7)
    (saved,) = (tmp_path / 'logs').rglob('seen_7.png')
    visualizer.add_datasample('unseen', IMAGE, sample(), out_file=str(tmp_path / 'out.png'))
    assert not list((tmp_path / 'logs').rglob('unseen*'))
    assert (mmcv.imread(saved) == mmcv.imread(tmp_path / 'out.png')).all()


def test_the_hook_draws_every_third_on_the_pixels_as_stored(visualizer, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned for people, not for COCO's masks
    Image.fromarray(IMAGE).save(tmp_path / 'turned.png', exif=exif)
    hook = HOOKS.build(dict(type='RefSegVisualizationHook', interval=3))
    runner = SimpleNamespace(visualizer=visualizer, iter=40)
    batches = [[sample(tmp_path / 'turned.png') for _ in range(2)] for _ in range(3)]
    for _ in range(2):
        hook.before_val_epoch(runner)
        for number, batch in enumerate(batches):
            hook.after_val_iter(runner, number, {}, batch)
    names = sorted(path.name for path in (tmp_path / 'logs').rglob('*.png'))
    assert names == ['val_000000_turned_40.png', 'val_000003_turned_40.png']
    item = batches[0][0]
    want = draw_errors(
        IMAGE, item.gt_sem_seg.data[0].numpy() > 0, item.pred_sem_seg.data[0].numpy() > 0, 'the dog'
    )
    (drawn,) = (tmp_path / 'logs').rglob(names[0])
    assert (mmcv.imread(drawn, channel_order='rgb') == want).all()
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0, {}, batches[0])
    assert list((tmp_path / 'logs').rglob('test_000000_turned_0.png'))


def test_what_mmengine_draws_is_drawn(tmp_path):
    """On the figure that is made when it is first asked for; the picture is given or set."""
    for number, given in enumerate((IMAGE, None)):
        visualizer = VISUALIZERS.build(
            dict(type='RefSegVisualizer', name=f'boxes_{tmp_path.name}_{number}', image=given)
        )
        assert given is None or (visualizer.get_image() == IMAGE).all()
        visualizer.set_image(IMAGE)
        visualizer.draw_bboxes(np.array([5, 5, 20, 15]), edge_colors='r')
        assert (visualizer.get_image() != IMAGE).any()
        with pytest.raises(AttributeError, match="RefSegVisualizer has no attribute 'no_such'"):
            _ = visualizer.no_such


def test_wrong_interval():
    with pytest.raises(ValueError, match='interval must be at least 1, got 0'):
        RefSegVisualizationHook(interval=0)
