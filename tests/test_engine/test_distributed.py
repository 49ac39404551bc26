# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Several processes on the CPU, through gloo."""

import os
import socket
import subprocess
import sys

import pytest
import small_families
import tiny_training as training
import torch
from torch import nn

from mmseg_remamber.engine import CPUSyncBatchNorm, sync_batch_norm


def free_port() -> str:
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return str(s.getsockname()[1])


def run_two(root, folder, cfg):
    """Train in two processes -> what each of them wrote."""
    folder.mkdir()
    cfg.work_dir = str(folder / 'work')
    cfg.launcher = 'pytorch'
    cfg.dump(folder / 'config.py')
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2']
    command += [f'--master_port={free_port()}', 'tests/test_engine/train_in_processes.py']
    command += [folder / 'config.py', folder / 'out']
    paths = os.pathsep.join((str(root), str(root / 'tests' / 'helpers')))
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': paths}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return [torch.load(folder / f'out{rank}.pt') for rank in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize('design', ['remamber-conv', 'lavt', 'lgformer'])
def test_two_processes_of_two_are_one_of_four(root, shapes, tmp_path, design):
    cfg = training.tiny_config(shapes, tmp_path, batch_size=4, design=design)
    small_families.without_drop_path(cfg)  # processes drop for themselves
    if design == 'lavt':  # each process divides its weighted loss by the weights of its own pixels
        del cfg.model.decode_head.losses[1].class_weight
    cfg.custom_hooks = []
    cfg.train_cfg.update(max_iters=5, val_interval=10)
    cfg.param_scheduler = []
    # Adam divides by the gradient's own size, so that rounding alone moves the weights whose
    # gradient is zero; plain descent shows whether the gradients agree
    cfg.optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
    runner, one = training.train(cfg)
    cfg.train_dataloader.batch_size = 2
    two = run_two(root, tmp_path / 'two', cfg)
    for i, loss in one.losses.items():
        assert sorted(two[0]['batches'][i] + two[1]['batches'][i]) == sorted(one.batches[i])
        assert (two[0]['losses'][i] + two[1]['losses'][i]) / 2 == pytest.approx(loss, abs=1e-5)
    assert one.losses[4] != pytest.approx(one.losses[0], abs=1e-3)
    for name, want in runner.model.state_dict().items():
        torch.testing.assert_close(two[0]['weights'][name], want, rtol=1e-5, atol=1e-5)
        assert torch.equal(two[0]['weights'][name], two[1]['weights'][name]), name


@pytest.fixture
def alone():
    """A process group of this process."""
    torch.distributed.init_process_group(
        'gloo', init_method=f'tcp://127.0.0.1:{free_port()}', rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize('momentum', [0.1, None])
def test_batch_norm_of_one_process_is_torchs(alone, momentum):
    torch.manual_seed(0)
    want = nn.BatchNorm2d(3, momentum=momentum).double()
    nn.init.uniform_(want.weight)
    got = sync_batch_norm(nn.Sequential(want, nn.ReLU()))[0]
    assert isinstance(got, CPUSyncBatchNorm)
    assert got.weight is want.weight
    for _ in range(2):
        x = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
        grad = torch.randn_like(x)
        results = [module(x) for module in (got, want)]
        torch.testing.assert_close(*results)
        inputs = (x, want.weight, want.bias)
        grads = [torch.autograd.grad(y, inputs, grad) for y in results]
        torch.testing.assert_close(*grads)
    torch.testing.assert_close(dict(got.named_buffers()), dict(want.named_buffers()))
    torch.testing.assert_close(got.eval()(x), want.eval()(x))


def test_only_the_norms_meant_are_replaced():
    model = nn.Sequential(nn.BatchNorm2d(2), nn.SyncBatchNorm(2))
    sync_batch_norm(model, only=nn.SyncBatchNorm)
    assert [type(m) for m in model] == [nn.BatchNorm2d, CPUSyncBatchNorm]
