# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of batches, and what becomes of a config by it."""

import argparse

import pytest
from mmengine.config import Config

from mmseg_remamber.cli.batch import (
    Batch,
    add_batch_arguments,
    choose_batch,
    count_processes,
    fit_batch,
    fit_cpu,
)


@pytest.mark.parametrize(
    ('processes', 'size', 'accumulated'),
    [(8, 8, 1), (1, 8, 8), (1, 2, 32), (2, 8, 4), (16, 4, 1), (1, 64, 1), (1, 1, 64)],
)
def test_gradients_are_accumulated_to_the_total(processes, size, accumulated):
    batch = choose_batch(64, processes, size)
    assert batch == Batch(size, processes, accumulated)
    assert batch.total == 64
    assert choose_batch(64, processes, size, accumulated) == batch


def test_a_batch_says_its_arithmetic():
    assert str(Batch(2, 1, 32)) == '2 a process x 1 process x 32 accumulated = 64'
    assert str(Batch(8, 4, 2)) == '8 a process x 4 processes x 2 accumulated = 64'


@pytest.mark.parametrize(
    ('processes', 'size', 'accumulate', 'match'),
    [
        (1, 3, None, r'--batch-size 3: 3 a process x 1 = 3 does not divide the 64 samples'),
        (1, 3, None, r'--batch-size may be one of \[1, 2, 4, 8, 16, 32, 64\]'),
        (2, 64, None, r'--batch-size may be one of \[1, 2, 4, 8, 16, 32\]'),
        (3, 8, None, r'Take one of \[1, 2, 4, 8, 16, 32, 64\] processes, not 3'),
        (1, 8, 4, r'--batch-size 8 --accumulate 4: 8 a process x 1 process x 4 accumulated = 32'),
        (1, 8, 4, 'Take --accumulate 8 or --batch-size 16'),
        (2, 8, 3, r'Take --accumulate 4\.'),
        (1, 3, 2, r'Take --batch-size 32\.'),
        (1, 3, 3, 'Take --batch-size and --accumulate whose product is 64'),
        (8, 16, None, r'auto_scale_lr\.enable=True scales the learning rate'),
    ],
)
def test_a_total_that_cannot_be_met_names_what_would_do(processes, size, accumulate, match):
    with pytest.raises(ValueError, match=match):
        choose_batch(64, processes, size, accumulate)


def test_each_launcher_says_how_many_processes_there_are():
    environment = {'WORLD_SIZE': '4', 'SLURM_NTASKS': '16', 'OMPI_COMM_WORLD_SIZE': '2'}
    found = {
        name: count_processes(name, environment) for name in ('none', 'pytorch', 'slurm', 'mpi')
    }
    assert found == dict(none=1, pytorch=4, slurm=16, mpi=2)
    with pytest.raises(ValueError, match='--launcher slurm: SLURM_NTASKS is not set'):
        count_processes('slurm', {})


@pytest.mark.parametrize(
    ('arguments', 'size', 'accumulate'),
    [
        ([], None, None),
        (['--batch-size', '2'], 2, None),
        (['--batch-size=2', '--accumulate'], 2, 0),
        (['--accumulate', '8'], None, 8),
    ],
)
def test_arguments(arguments, size, accumulate):
    parser = argparse.ArgumentParser()
    add_batch_arguments(parser)
    args = parser.parse_args(arguments)
    assert (args.batch_size, args.accumulate) == (size, accumulate)


@pytest.mark.parametrize('text', ['0', '-1', 'two', '1.5'])
@pytest.mark.parametrize('option', ['--batch-size', '--accumulate'])
def test_arguments_are_whole_numbers_from_1_on(option, text, capsys):
    parser = argparse.ArgumentParser()
    add_batch_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([f'{option}={text}'])
    assert f'must be a whole number from 1 on, got {text!r}' in capsys.readouterr().err


def config(**changes):
    """One that counts iterations, made for 16 samples an update."""
    loader = dict(batch_size=16, num_workers=1)
    return Config(
        dict(
            train_dataloader=loader,
            val_dataloader=dict(loader, batch_size=32),
            test_dataloader=dict(loader, batch_size=1),
            optim_wrapper=dict(type='OptimWrapper', clip_grad=dict(max_norm=1.0)),
            param_scheduler=[dict(type='LinearLR', begin=0, end=150, by_epoch=False)],
            train_cfg=dict(type='ResumableIterLoop', max_iters=2800, val_interval=700),
            auto_scale_lr=dict(enable=False, base_batch_size=16),
            default_hooks=dict(
                param_scheduler=dict(type='ParamSchedulerHook'),
                logger=dict(type='LoggerHook', interval=50),
                checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1400),
            ),
        )
        | changes
    )


def test_what_needs_no_accumulation_stays_as_it_is():
    cfg, before = config(), config()
    said = fit_batch(cfg, None, None, 1)
    assert said == 'batch: 16 a process x 1 process x 1 accumulated = 16'
    assert cfg.to_dict() == before.to_dict()


def test_iterations_become_as_many_more_as_are_accumulated():
    cfg = config(custom_hooks=[dict(type='EMAHook', begin_iter=10), dict(type='FiniteLossHook')])
    cfg.train_cfg.update(val_begin=100, dynamic_intervals=[(1400, 350)])
    said = fit_batch(cfg, 2, None, 2)
    assert said == (
        'batch: 2 a process x 2 processes x 4 accumulated = 16; 2800 updates in 11200 iterations'
    )
    assert cfg.optim_wrapper.accumulative_counts == 4
    assert cfg.train_cfg == dict(
        type='ResumableIterLoop', max_iters=11200, val_interval=2800, val_begin=400,
        dynamic_intervals=[(5600, 1400)],
    )  # fmt: skip
    assert cfg.default_hooks.checkpoint.interval == 5600
    assert cfg.custom_hooks == [dict(type='EMAHook', begin_iter=40), dict(type='FiniteLossHook')]
    # the schedule goes on counting updates, each with its learning rate
    assert cfg.param_scheduler == config().param_scheduler
    assert cfg.default_hooks.param_scheduler == dict(type='UpdateSchedulerHook')
    assert cfg.default_hooks.logger.interval == 50
    sizes = [cfg[f'{mode}_dataloader'].batch_size for mode in ('train', 'val', 'test')]
    assert sizes == [2, 2, 1]


def test_mmengines_default_interval_of_validation_is_scaled_too():
    cfg = config(train_cfg=dict(type='ResumableIterLoop', max_iters=2800))
    fit_batch(cfg, 8, None, 1)
    assert cfg.train_cfg.val_interval == 2000


@pytest.mark.parametrize('hooks', [None, {}, dict(checkpoint=None)])
def test_default_hooks_may_be_left_out(hooks):
    cfg = config(default_hooks=hooks)
    fit_batch(cfg, 8, None, 1)
    assert cfg.default_hooks.param_scheduler == dict(type='UpdateSchedulerHook')
    assert cfg.train_cfg.max_iters == 5600
    cfg = config(default_hooks=dict(param_scheduler=None))
    fit_batch(cfg, 8, None, 1)
    assert cfg.default_hooks.param_scheduler is None


def test_epochs_stay():
    cfg = config(
        train_cfg=dict(type='ResumableEpochLoop', max_epochs=50, val_interval=1),
        param_scheduler=[dict(type='CosineAnnealingLR', T_max=50, by_epoch=True)],
    )
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    assert fit_batch(cfg, 4, None, 1) == 'batch: 4 a process x 1 process x 4 accumulated = 16'
    assert cfg.train_cfg == dict(type='ResumableEpochLoop', max_epochs=50, val_interval=1)
    assert cfg.default_hooks.checkpoint.interval == 1


def test_the_configs_own_batch_is_completed_and_its_evaluation_left_alone():
    cfg = config()
    cfg.train_dataloader.batch_size = 4
    assert fit_batch(cfg, None, None, 1).startswith('batch: 4 a process x 1 process x 4 accum')
    assert cfg.optim_wrapper.accumulative_counts == 4
    assert cfg.val_dataloader.batch_size == 32


def test_a_total_that_cannot_be_met_leaves_no_run():
    with pytest.raises(ValueError, match=r'--batch-size 16: 16 a process x 2 = 32 does not divide'):
        fit_batch(config(), None, None, 2)
    with pytest.raises(ValueError, match=r'--batch-size 4 --accumulate 2: .* is not the 16 sam'):
        fit_batch(config(), 4, 2, 1)


def fitted():
    """A config as a run leaves it in its work dir."""
    cfg = config()
    fit_batch(cfg, 2, None, 1)
    return cfg


def test_a_config_that_was_fitted_is_not_fitted_twice():
    cfg = fitted()
    fit_batch(cfg, None, None, 1)
    assert cfg.to_dict() == fitted().to_dict()


def test_a_config_that_was_fitted_is_fitted_to_another_machine():
    cfg = fitted()
    with pytest.raises(ValueError, match=r'--accumulate 8: .* = 32 is not .* Take --accumulate 4 '):
        fit_batch(cfg, None, None, 2)
    fit_batch(cfg, 4, 0, 2)
    assert cfg.optim_wrapper.accumulative_counts == 2
    assert cfg.train_cfg.max_iters == 5600
    fit_batch(cfg, 16, 0, 1)
    want = config()
    want.optim_wrapper.accumulative_counts = 1
    want.default_hooks.param_scheduler.type = 'UpdateSchedulerHook'
    want.val_dataloader.batch_size = 2  # at most as large as was asked for before
    assert cfg.to_dict() == want.to_dict()


def test_iterations_that_do_not_divide_are_refused():
    cfg = fitted()
    cfg.train_cfg.max_iters = 22401
    with pytest.raises(ValueError, match=r'train_cfg\.max_iters=22401 cannot be made 1/2 of it'):
        fit_batch(cfg, 4, 0, 1)


def test_mmengines_own_accumulation_keeps_its_iterations():
    """optim_wrapper.accumulative_counts in a config is mmengine's, iterations and all."""
    cfg = config()
    cfg.train_dataloader.batch_size = 4
    cfg.optim_wrapper.accumulative_counts = 4
    before = cfg.to_dict()
    fit_batch(cfg, None, None, 1)
    assert cfg.to_dict() == before
    with pytest.raises(ValueError, match='the config accumulates 4 steps itself, and its LinearLR'):
        fit_batch(cfg, 2, 0, 1)


def test_epochs_made_iterations_are_refused():
    cfg = config(
        param_scheduler=dict(type='PolyLR', by_epoch=True, end=5, convert_to_iter_based=True)
    )
    fit_batch(cfg, 16, None, 1)
    with pytest.raises(ValueError, match='PolyLR has convert_to_iter_based=True'):
        fit_batch(cfg, 8, None, 1)


@pytest.mark.parametrize('scaling', [None, {}, dict(enable=False)])
def test_a_schedule_without_a_total_is_left_alone(scaling):
    cfg, before = config(auto_scale_lr=scaling), config(auto_scale_lr=scaling)
    assert fit_batch(cfg, None, None, 3) == (
        'batch: 16 a process x 3 processes x 1 accumulated = 48; '
        'the config does not say what its schedule was made for'
    )
    assert cfg.to_dict() == before.to_dict()
    with pytest.raises(ValueError, match='--accumulate without a number needs the total'):
        fit_batch(cfg, None, 0, 1)
    fit_batch(cfg, 3, 5, 1)
    assert (cfg.train_dataloader.batch_size, cfg.optim_wrapper.accumulative_counts) == (3, 5)


def test_a_learning_rate_that_scales_takes_any_batch():
    cfg = config(auto_scale_lr=dict(enable=True, base_batch_size=16))
    assert fit_batch(cfg, 3, None, 2) == (
        'batch: 3 a process x 2 processes x 1 accumulated = 6; the learning rate is scaled by it'
    )
    assert 'accumulative_counts' not in cfg.optim_wrapper
    with pytest.raises(ValueError, match='knows of no accumulation'):
        fit_batch(cfg, 3, 2, 1)


def amp_config():
    cfg = config(optim_wrapper=dict(type='AmpOptimWrapper', loss_scale=512.0, optimizer=dict(lr=1)))
    for mode in ('train', 'val'):
        cfg[f'{mode}_dataloader'].num_workers = 4
    return cfg


def test_a_cpu_trains_in_float32_with_one_worker():
    cfg = amp_config()
    assert fit_cpu(cfg) == (
        'no CUDA device: OptimWrapper (float32) in place of AmpOptimWrapper; num_workers=1 in '
        'train_dataloader, val_dataloader'
    )
    assert cfg.optim_wrapper == dict(type='OptimWrapper', optimizer=dict(lr=1))
    workers = [cfg[f'{mode}_dataloader'].num_workers for mode in ('train', 'val', 'test')]
    assert workers == [1, 1, 1]
    assert fit_cpu(cfg) is None


def test_a_cpu_leaves_what_the_user_has_set():
    cfg = amp_config()
    given = {'optim_wrapper.type', 'train_dataloader.num_workers', 'val_dataloader.num_workers'}
    assert fit_cpu(cfg, given) is None
    assert cfg.to_dict() == amp_config().to_dict()
