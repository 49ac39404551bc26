# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint of another model is refused, and named."""

import pytest
import torch
from mmengine.config import Config
from vmamba_classifier import VMambaClassifier

from mmseg_remamber.apis import init_model
from mmseg_remamber.configuration import load_config
from mmseg_remamber.models.build import build_on_meta
from mmseg_remamber.models.fits import likely_configs
from mmseg_remamber.vmamba.weights import to_official

FOLDER = 'configs/remamber/'
MINI = FOLDER + 'remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
FUSION = FOLDER + 'ablations/remamber-conv_vmamba-mini_{}_1xb48-1200i_refshapes-80x80.py'
MAMBA = MINI.replace('remamber-conv', 'remamber-mamba')
BASE = FOLDER + 'remamber-conv_vmamba-b_8xb8-50e_refcoco-480x480.py'


def family(config):
    """Pattern of the configs that share a config's model."""
    return config.rpartition('_')[0].rpartition('_')[0] + '_*.py'


def state_of(root, config):
    return build_on_meta(load_config(root / config)).state_dict()


@pytest.mark.parametrize(
    ('config', 'want'),
    [
        # the order of two scans leaves no trace in the weights
        (MINI, [FUSION.format('scan-spatial-channel'), MINI]),
        (MAMBA, [MAMBA]),
        (BASE, [FUSION.format('scan-spatial-channel').replace('mini', 'b'), BASE]),
        (FUSION.format('attention'), [FUSION.format('attention')]),
        (FUSION.format('norm'), [FUSION.format('norm')]),
        (FUSION.format('text-local'), [FUSION.format('text-local')]),
    ],
)
def test_the_configs_of_weights_are_found(root, config, want):
    names, score = likely_configs(state_of(root, config))
    assert (sorted(names), score) == (sorted(map(family, want)), 1)
    assert all(list(root.glob(name)) for name in names)


def test_a_model_of_ones_own_has_a_nearest_config(root):
    state = state_of(root, MAMBA) | {'decode_head.extra': torch.ones(1)}
    (name,), score = likely_configs(state)
    assert name == family(MAMBA)
    assert 0.99 < score < 1


def save(path, state):
    torch.save({'state_dict': {k: torch.zeros(v.shape) for k, v in state.items()}}, path)
    return str(path)


def test_the_first_differences_are_named_by_part(root, tmp_path):
    state = state_of(root, MINI)
    state['backbone.image.patch_embed.proj1.weight'] = torch.ones(12, 4, 3, 3)
    path = save(tmp_path / 'mini.pth', state)
    with pytest.raises(ValueError, match='is of another model') as error:
        init_model(root / MAMBA, path)
    text = str(error.value)
    assert f"checkpoint '{path}' is of another model than the config; " in text
    assert '% of it is as in configs/remamber/' in text
    assert family(MINI) in text
    assert ' missing in the file: decode_head.levels.0.global_text.0.weight (and ' in text
    assert 'decode_head.neck.0.0.weight (and 13 more in decode_head.neck)' in text
    assert (
        '2 of another shape: backbone.image.patch_embed.proj1.weight is (12, 4, 3, 3), '
        'the model has (12, 3, 3, 3), decode_head.conv_seg.weight is '
    ) in text


def test_weights_of_another_project_fit_nothing(root, tmp_path):
    path = save(tmp_path / 'resnet.pth', {'conv1.weight': torch.ones(64, 3, 7, 7)})
    with pytest.raises(ValueError, match='no config of this project is like it'):
        init_model(root / MINI, path)


def test_a_published_backbone_is_recognised(root, tmp_path):
    with torch.device('meta'):
        model = VMambaClassifier('tiny-s1l8', num_classes=2)
    path = save(tmp_path / 'vmamba.pth', to_official(model.state_dict()))
    with pytest.raises(
        ValueError, match=r"it is VMamba's, for init_cfg of a VMamba or tools/model_"
    ):
        init_model(root / MINI, path)


def test_the_runner_explains_too(tmp_path):
    from mmseg_remamber.engine import RefSegRunner

    runner = RefSegRunner(
        model=torch.nn.Linear(2, 3),
        work_dir=str(tmp_path),
        cfg=Config(dict(log_level='ERROR')),
        default_scope='mmseg',
    )
    path = save(tmp_path / 'linear.pth', torch.nn.Linear(2, 4).state_dict())
    with pytest.raises(ValueError, match=r'2 of another shape: weight is \(4, 2\)'):
        runner.load_checkpoint(path)
