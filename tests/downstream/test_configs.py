# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings of VMamba in mmdet and mmpretrain are those that were published."""

from pathlib import Path

import pytest
import torch
import yaml
from small_families import weight_decays

from mmseg_remamber.analysis.published_flops import count_published_flops, published_pass
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_on_meta

ROOT = Path(__file__).parents[2]


def listed(task):
    """The published settings."""
    path = ROOT / 'configs' / 'vmamba' / task / 'metafile.yml'
    models = yaml.safe_load(path.read_text())['Models']
    return [model for model in models if '-mini_' not in model['Name']]


@pytest.mark.parametrize('model', listed('classification'), ids=lambda model: model['Name'])
def test_classification(model):
    cfg, metadata = load_config(ROOT / model['Config']), model['Metadata']
    built = build_on_meta(cfg)
    assert sum(p.numel() for p in built.parameters()) == metadata['Parameters']
    assert cfg.train_dataloader.batch_size * 8 == metadata['Batch Size']
    assert cfg.train_dataloader.drop_last
    assert cfg.train_cfg.max_epochs == metadata['Epochs']
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.optim_wrapper.clip_grad.max_norm == 5.0
    warm_up, cosine = cfg.param_scheduler
    assert (warm_up.end, cosine.begin, cosine.end, cosine.eta_min) == (20, 20, 300, 1e-5)
    hooks = [hook.type for hook in cfg.custom_hooks]
    assert hooks == ([] if 'tiny-vanilla' in model['Name'] else ['EMAHook'])
    flat = {name for name, p in built.named_parameters() if p.ndim == 1 or name.endswith('.bias')}
    for name, decay in weight_decays(cfg, built).items():
        assert decay == (0.0 if name in flat else 0.05), name


def test_published_flops_of_a_classifier(script, capsys):
    config = ROOT / 'configs/vmamba/classification/vmamba-tiny-s1l8_8xb128-300e_in1k.py'
    script(
        'tools/analysis_tools/get_flops.py', config, '--size', 224, 224, '--published', 'prefix-sum'
    )
    assert capsys.readouterr().out.splitlines()[-2].startswith('4.905609984 GFLOPs')


# G at 1280 x 800, as the authors print them: by prefix sums, and naive of the first release
FLOPS = {
    'tiny-vanilla': ('285.88', '262.09'), 'small-vanilla': ('400.26', '357.01'),
    'base-vanilla': ('539.80', '482.13'), 'tiny-s2l5': ('270.19', None),
    'tiny-s1l8': ('271.16', None), 'small-s2l15': ('348.92', None),
    'base-s2l15': ('485.49', None),  # printed as 485.50
}  # fmt: skip


@pytest.mark.parametrize('arch', FLOPS)
def test_published_flops_of_a_detector(arch):
    (path,) = (ROOT / 'configs/vmamba/detection').glob(f'*-{arch}_fpn_*-1x_coco.py')
    model = build_on_meta(load_config(path)).eval()
    img = torch.empty(1, 3, 1280, 800, device='meta')
    for scan, want in zip(('prefix-sum', 'naive'), FLOPS[arch], strict=True):
        if want is not None:
            found = count_published_flops(model, published_pass(model), img, scan=scan)
            assert f'{found / 1e9:.2f}' == want, scan


PARAMETERS = {  # in millions, as the authors print them
    'tiny-vanilla': 42.4, 'small-vanilla': 63.924, 'base-vanilla': 95.628, 'tiny-s2l5': 50.212,
    'tiny-s1l8': 49.755, 'small-s2l15': 69.654, 'base-s2l15': 108,
}  # fmt: skip


@pytest.mark.parametrize('model', listed('detection'), ids=lambda model: model['Name'])
def test_detection(model):
    cfg, metadata = load_config(ROOT / model['Config']), model['Metadata']
    built = build_on_meta(cfg)
    number = sum(p.numel() for p in built.parameters()) / 1e6
    want = PARAMETERS[cfg.model.backbone.arch]
    assert number == pytest.approx(want, abs=0.5 if want == 108 else 6e-4)
    gpus, batch = model['Name'].split('_')[3].split('-')[0].split('xb')
    assert cfg.train_dataloader.batch_size == int(batch)
    assert int(gpus) * int(batch) == metadata['Batch Size'] == 16
    epochs = metadata['Epochs']
    assert cfg.train_cfg.max_epochs == epochs
    _, steps = cfg.param_scheduler
    assert list(steps.milestones) == ([8, 11] if epochs == 12 else [27, 33])
    types = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert ('RandomChoice' in types) == (epochs == 36) == ('Resize' not in types)
    is_vanilla = cfg.model.backbone.arch.endswith('vanilla')
    assert cfg.model.backbone.get('drop_path_rate') == (0.2 if is_vanilla else None)
    found = weight_decays(cfg, built)
    assert {decay for name, decay in found.items() if not name.startswith('backbone.')} == {0.05}
    assert found['backbone.out_norms.0.weight'] == 0.0
    assert found['backbone.stages.0.0.op.out_norm.weight'] == 0.0
    assert found['backbone.stages.0.0.norm.weight'] == (0.05 if is_vanilla else 0.0)
    assert found['backbone.downsamples.0.norm.weight'] == (0.0 if is_vanilla else 0.05)
