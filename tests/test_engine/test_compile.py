# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""`compile` of a config: training, validation and resuming with a compiled network."""

import pytest
import tiny_training as training
import torch
import tracing
from torch._dynamo.utils import counters

COMPILE = dict(backend='eager', fullgraph=True)


def config(shapes, work, compile):
    cfg = training.tiny_config(shapes, work)
    cfg.compile = compile
    # steps of the gradients' size: Adam makes whole steps of the rounding in the biases before a
    # norm, whose gradients are zero
    cfg.optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
    cfg.train_cfg = dict(type='ResumableIterLoop', max_iters=4, val_interval=2)
    cfg.default_hooks.checkpoint.interval = 2
    return cfg


@pytest.fixture(scope='module')
def compiled(shapes, tmp_path_factory):
    """A run with averaged weights and two validations -> (work dir, runner, record, graphs)."""
    torch._dynamo.reset()
    counters.clear()
    work = tmp_path_factory.mktemp('compiled')
    with tracing.paused():
        runner, recorder = training.train(config(shapes, work, COMPILE))
    return work, runner, recorder, counters['stats']['unique_graphs']


@pytest.mark.slow
@pytest.mark.usefixtures('untraced')
def test_the_same_training_in_a_graph_for_each_mode(shapes, tmp_path, compiled):
    work, runner, recorder, graphs = compiled
    _, plain = training.train(config(shapes, tmp_path, False))
    assert recorder.losses == pytest.approx(plain.losses, rel=1e-4)
    # training; validation, of any batch size since it differs from training's
    loader = runner.val_dataloader
    assert len(loader.dataset) % loader.batch_size > 1, 'the last batch has another size'
    assert graphs == 2 and not counters['graph_break']
    state = torch.load(work / 'iter_4.pth', weights_only=False)
    other = torch.load(tmp_path / 'iter_4.pth', weights_only=False)
    assert state['state_dict'].keys() == other['state_dict'].keys()
    assert state['ema_state_dict'].keys() == other['ema_state_dict'].keys()
    for key, value in other['ema_state_dict'].items():
        torch.testing.assert_close(state['ema_state_dict'][key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures('untraced')
def test_resuming_a_compiled_run_is_the_run(shapes, tmp_path, compiled):
    work, runner, recorder, _ = compiled
    cfg = config(shapes, tmp_path, COMPILE)
    cfg.resume, cfg.load_from = True, str(work / 'iter_2.pth')
    resumed, rest = training.train(cfg)
    assert rest.losses == {i: recorder.losses[i] for i in (2, 3)}
    training.assert_same(training.end_state(resumed), training.end_state(runner))


def test_what_is_no_way_of_compiling_is_refused(shapes, tmp_path):
    with pytest.raises(TypeError, match=r"compile must be True, False or a dict .*, got 'fast'"):
        training.train(config(shapes, tmp_path, 'fast'))
