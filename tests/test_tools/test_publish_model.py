# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import copy
import hashlib
import re
from pathlib import Path

import golden
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import EMAHook
from mmengine.model import ExponentialMovingAverage

from mmseg_remamber.apis import init_model
from mmseg_remamber.checkpoints import read_checkpoint


@pytest.fixture
def publish(script, capsys):
    """Run the tool; returns the two files by suffix and what it printed."""

    def call(*arguments):
        script('tools/misc/publish_model.py', *arguments)
        printed = capsys.readouterr().out
        files = re.findall(r'^(.+?(\.pth|\.safetensors)): ', printed, re.MULTILINE)
        return {suffix: name for name, suffix in files}, printed

    return call


@pytest.fixture
def cfg():
    return Config(
        dict(model=golden.model_config('conv', 'small'), work_dir='/home/me/run', launcher='slurm')
    )


def same(a, b):
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


def test_a_run_is_published_with_all_that_a_model_needs(publish, trained, tmp_path):
    src = trained / 'iter_3.pth'
    files, printed = publish(src, tmp_path / 'zoo' / 'remamber-mini')
    assert set(files) == {'.pth', '.safetensors'}
    assert sorted(str(path) for path in (tmp_path / 'zoo').iterdir()) == sorted(files.values())
    assert printed.count('trained weights') == 2
    full = torch.load(src, weights_only=False)
    assert 'optimizer' in full
    for file in files.values():
        digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        assert re.fullmatch(rf'.*/remamber-mini-{digest[:8]}\.\w+', file)
        read = read_checkpoint(file)
        assert set(read) == {'state_dict', 'meta'}
        assert set(read['meta']) == {'cfg', 'dataset_meta', 'epoch', 'iter', 'weights'}
        assert read['meta']['iter'] == 3
        assert str(trained) not in read['meta']['cfg']
        assert same(read['state_dict'], full['state_dict'])
        model = init_model(checkpoint=file)
        assert same(model.state_dict(), full['state_dict'])
        assert list(model.dataset_meta['classes']) == list(full['meta']['dataset_meta']['classes'])
    torch.load(files['.pth'], weights_only=True)
    again, _ = publish(src, tmp_path / 'zoo' / 'remamber-mini')
    assert again == files


@pytest.mark.parametrize(
    ('flags', 'which'), [([], 'averaged'), (['--ema'], 'averaged'), (['--no-ema'], 'trained')]
)
def test_averaged_or_trained_weights(publish, cfg, tmp_path, flags, which):
    hook, model = EMAHook(), golden.build('conv', 'small')
    hook.src_model, hook.ema_model = model, ExponentialMovingAverage(model)
    torch.nn.init.zeros_(model.decode_head.conv_seg.weight)  # a step that the average has not seen
    states = dict(trained=model.state_dict(), averaged=hook.ema_model.module.state_dict())
    states = copy.deepcopy(states)
    checkpoint = dict(meta=dict(cfg=cfg.pretty_text), state_dict=model.state_dict())
    hook.before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'ema.pth')

    files, printed = publish(tmp_path / 'ema.pth', tmp_path / 'out', *flags)
    assert f'{which} weights' in printed
    for file in files.values():
        read = read_checkpoint(file)
        assert same(read['state_dict'], states[which])
        assert read['meta']['weights'] == which
    assert not torch.equal(
        states['trained']['decode_head.conv_seg.weight'],
        states['averaged']['decode_head.conv_seg.weight'],
    )


def test_a_config_is_given_to_weights_without_one(publish, cfg, tmp_path):
    src = tmp_path / 'converted.pth'
    state = golden.build('conv', 'small').state_dict()
    torch.save({'state_dict': state}, src)
    with pytest.raises(SystemExit, match=r'error: .* has no config in it'):
        publish(src, tmp_path / 'out')
    cfg.dump(tmp_path / 'config.py')
    files, _ = publish(src, tmp_path / 'out', '--config', tmp_path / 'config.py')
    meta = read_checkpoint(files['.safetensors'])['meta']
    assert '/home/me' not in meta['cfg']
    assert 'slurm' not in meta['cfg']
    assert same(init_model(checkpoint=files['.safetensors']).state_dict(), state)


def test_mistakes_are_named(publish, cfg, tmp_path):
    src = tmp_path / 'a.pth'
    state = golden.build('conv', 'small').state_dict()
    torch.save({'state_dict': state, 'meta': dict(cfg=cfg.pretty_text)}, src)
    with pytest.raises(SystemExit, match='error: --ema: the checkpoint has no averaged weights'):
        publish(src, tmp_path / 'out', '--ema')
    Config(dict(model=golden.model_config('mamba', 'small'))).dump(tmp_path / 'mamba.py')
    with pytest.raises(SystemExit, match=r'error: .* is of another model than the config'):
        publish(src, tmp_path / 'out', '--config', tmp_path / 'mamba.py')
    assert not list(tmp_path.glob('out*'))
