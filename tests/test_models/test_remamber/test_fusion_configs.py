# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The ablation configs and the documentation's own design: one training step, one prediction."""

import re
import sys
from pathlib import Path

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_remamber.configuration import load_config

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / 'configs' / 'remamber'
BASE, MINI = 'vmamba-b{}_8xb8-50e_refcoco-256x256', 'vmamba-mini{}_1xb48-1200i_refshapes-80x80'
#: What each row of the paper's tables says of the fusion stage.
ROWS = {
    '_in-context': dict(type='InContextFusion'),
    '_attention': dict(type='AttentionFusion'),
    '_norm': dict(type='NormFusion'),
    '_scan-channel': dict(type='TwisterFusion', scans='channel'),
    '_scan-spatial': dict(type='TwisterFusion', scans='spatial'),
    '_scan-parallel': dict(type='TwisterFusion', scans='parallel'),
    '_scan-spatial-channel': dict(type='TwisterFusion', scans='spatial-channel'),
    '_text-global': dict(type='TwisterFusion', texts=['global']),
    '_text-local': dict(type='TwisterFusion', texts=['local']),
}


def config(size: str, row: str):
    folder = FOLDER / 'ablations' if row else FOLDER
    return load_config(folder / f'remamber-conv_{size.format(row)}.py')


def reduced(cfg):
    """The base model with few layers and thin ones, as the full one needs a GPU."""
    cfg.model.backbone.image.update(
        arch=dict(
            dim=64, depths=(1, 1, 1, 1), state_dim=1, ssm_ratio=2.0, gated=False, conv_bias=False,
            mlp_ratio=4.0, patch_embed='v2', downsample='v3', drop_path_rate=0.0,
        ),
        init_cfg=None,
    )  # fmt: skip
    cfg.model.backbone.update(text_dim=48)
    cfg.model.text_encoder.update(layers=1, width=48, pretrained=None)
    cfg.model.decode_head.update(in_channels=[64, 128, 256, 512], channels=64)
    cfg.optim_wrapper.type = 'OptimWrapper'  # the float16 of AMP needs a GPU
    return cfg


def train_one_step_and_predict(cfg, size):
    """Every parameter moves, and two images get masks of their own size."""
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    samples = []
    for word in (320, 321):
        sample = SegDataSample(metainfo=dict(ori_shape=(30, 41), img_shape=(size, size)))
        sample.gt_sem_seg = PixelData(data=torch.randint(0, 2, (1, size, size)))
        ids = torch.full((20,), 49407)
        ids[:2] = torch.tensor([49406, word])
        sample.set_data(dict(token_ids=ids, token_mask=torch.arange(20) < 3))
        samples.append(sample)
    batch = dict(
        inputs=[torch.randint(0, 256, (3, size, size), dtype=torch.uint8) for _ in samples],
        data_samples=samples,
    )
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = model.train().train_step(batch, wrapper)
    assert torch.isfinite(losses['loss'])
    still = [n for n, p in model.named_parameters() if torch.equal(p, before[n])]
    # analytic gradients of zero: a key's bias, and positions of words that are not in the sentence
    assert [n for n in still if not re.search(r'k_proj\.bias|embedding', n)] == []
    results = model.eval().test_step(batch)
    assert [tuple(r.pred_sem_seg.data.shape) for r in results] == [(1, 30, 41)] * 2


@pytest.mark.parametrize('size', [BASE, MINI])
def test_one_config_a_row(size):
    there = {path.stem for path in (FOLDER / 'ablations').glob(f'*{size.format("*")}.py')}
    want = {f'remamber-conv_{size.format(row)}' for row in ROWS}
    assert there == want


@pytest.mark.parametrize('row', ROWS)
@pytest.mark.parametrize('size', [BASE, MINI])
def test_only_the_fusion_differs(size, row):
    cfg, published = config(size, row), config(size, '')
    fusion, twister = cfg.model.backbone.pop('fusion'), published.model.backbone.pop('fusion')
    assert cfg.to_dict() == published.to_dict()
    changes = {key: value for key, value in fusion.items() if twister.get(key) != value}
    assert dict(fusion, **ROWS[row]) == fusion
    assert changes.keys() <= {*ROWS[row], 'mlp_ratio', 'position_size', 'head_dim'}


@pytest.mark.parametrize('row', ['', *ROWS])
def test_base_ablations_differ_from_the_published_setting_by_size(row):
    cfg = config(BASE, row)
    for mode in ('train', 'val', 'test'):
        steps = cfg[f'{mode}_dataloader'].dataset.pipeline
        published = load_config(FOLDER / 'remamber-conv_vmamba-b_8xb8-50e_refcoco-480x480.py')
        want = published[f'{mode}_dataloader'].dataset.pipeline
        for step in want:
            if step.type == 'Resize':
                step.scale = (256, 256)
        assert steps == want


@pytest.mark.parametrize('size', [BASE, MINI])
def test_designs_are_of_one_size(size):
    def parameters(row):
        cfg = config(size, row)
        with torch.device('meta'):
            model = MODELS.build(cfg.model)
        return sum(p.numel() for p in model.backbone.fusions.parameters())

    twister = parameters('')
    for row in ('_in-context', '_attention', '_norm'):
        assert parameters(row) == pytest.approx(twister, rel=0.015), row


@pytest.mark.parametrize('row', ROWS)
def test_mini_config_trains_and_predicts(row):
    train_one_step_and_predict(config(MINI, row), size=80)


@pytest.mark.parametrize('row', ['', *ROWS])
def test_base_config_trains_and_predicts_with_few_layers(row):
    train_one_step_and_predict(reduced(config(BASE, row)), size=64)


def test_the_documented_design_runs(tmp_path, monkeypatch):
    section = (ROOT / 'docs' / 'fusion.md').read_text().partition('## A design of your own')[2]
    files = re.findall(r'```python\n# (\S+)\n(.*?)```', section, flags=re.DOTALL)
    assert [name for name, _ in files] == ['gate_fusion.py', 'gate_config.py']
    assert sum(text.count('\n') for _, text in files) <= 30
    for name, text in files:
        (tmp_path / name).write_text(text)
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    monkeypatch.syspath_prepend(tmp_path)
    try:
        cfg = load_config(tmp_path / 'gate_config.py')
        fusions = MODELS.build(cfg.model).backbone.fusions
        assert {type(stage).__name__ for stage in fusions} == {'GateFusion'}
        train_one_step_and_predict(cfg, size=80)
    finally:
        sys.modules.pop('gate_fusion', None)
        MODELS.module_dict.pop('GateFusion', None)


def test_the_documented_counts_are_those_of_the_configs(capsys, monkeypatch):
    import runpy

    configs = [str(path) for path in (FOLDER / 'ablations').glob('*vmamba-b_*.py')]
    configs.append(str(FOLDER / f'remamber-conv_{BASE.format("")}.py'))
    monkeypatch.setattr(sys, 'argv', ['count_parameters.py', *configs])
    runpy.run_path(str(ROOT / 'tools/analysis_tools/count_parameters.py'), run_name='__main__')
    lines = capsys.readouterr().out.splitlines()
    heads = [cell.strip() for cell in lines[0].strip('|').split('|')]
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines[2:]]
    assert len(rows) == 1 + len(ROWS)
    documented = (ROOT / 'docs' / 'fusion.md').read_text()
    for row in rows:
        counts = dict(zip(heads, row, strict=True))
        parts = [int(counts[name].replace(',', '')) for name in heads[1:]]
        assert parts[0] == sum(parts[1:])
        assert f'| {counts["total"]} | {counts["backbone.fusions"]} |' in documented
