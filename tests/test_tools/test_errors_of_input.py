# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Input that cannot be used ends a command in a line that names it, without a traceback."""

import re
import shutil
import subprocess
import sys

import pytest
import tiny_model
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

CONFIG = tiny_model.CONFIG
NO_FOLDER = '/dev/null/folder'


@pytest.fixture
def fails(script, capsys):
    """Run a command that fails -> what it says, which is one error and no traceback."""

    def call(path, *arguments):
        with pytest.raises(SystemExit) as left:
            script(path, *arguments)
        assert isinstance(left.value.code, str), left.value.code
        assert left.value.code.startswith('error: ')
        assert left.value.__cause__ is not None
        assert 'Traceback' not in left.value.code + capsys.readouterr().err
        return left.value.code.removeprefix('error: ')

    return call


@pytest.fixture
def train(fails, options, tmp_path):
    def call(*overrides, config=CONFIG, arguments=()):
        work = f'--work-dir={tmp_path / "work"}'
        return fails(
            'tools/train.py', config, work, *arguments, '--cfg-options', *options, *overrides
        )

    return call


@pytest.fixture
def test(fails, options, tmp_path):
    def call(checkpoint, *, config=CONFIG, arguments=()):
        work = f'--work-dir={tmp_path / "work"}'
        return fails(
            'tools/test.py', config, checkpoint, work, *arguments, '--cfg-options', *options
        )

    return call


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        ('modle.type=X', "no 'modle'; did you mean model"),
        ('model.backbone.drop_pth=1', "unexpected keyword argument 'drop_pth'"),
        ('model.decode_head.type=Hed', 'Hed is not in the'),
        ('model.predict_dtype=half', 'predict_dtype must be one of'),
        ('model.backbone=2', 'cfg should be a dict'),
        ('compile=yes', 'compile must be True, False or a dict'),
        ('train_dataloader.dataset.split=tran', "'tran'"),
        ('train_dataloader.dataset.splt=train', "no 'splt'; did you mean split"),
        ('train_dataloader.dataset.data_root=/nowhere', '/nowhere'),
        ('train_dataloader=None', 'has no train_dataloader'),
        ('optim_wrapper.type=Wrap', 'Wrap is not in the'),
        ('load_from=nowhere.pth', "checkpoint 'nowhere.pth' does not exist"),
        (f'load_from={__file__}', 'is no torch file, or a damaged one'),
    ],
)
def test_overrides(train, wrong, message):
    assert message in train(wrong)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('model = dict(', 'never closed'),
        ('model = dict(type=Segmentor)', "name 'Segmentor' is not defined"),
        ('n = 1 / 0', 'division by zero'),
        ("n = dict()['width']", "no key 'width'"),
        ('n = int("ten")', 'invalid literal'),
        ("n = 'a' + 1", 'can only concatenate'),
        ('assert False, "a note"', 'a note'),
    ],
)
@pytest.mark.parametrize('tool', ['train', 'test'])
def test_a_config_that_cannot_be_run(request, tmp_path, tool, text, message):
    path = tmp_path / 'mine.py'
    path.write_text(text)
    call = request.getfixturevalue(tool)
    said = call(config=path) if tool == 'train' else call('any.pth', config=path)
    assert said.startswith(f'config {str(path)!r} cannot be read: ') and message in said


def test_a_config_that_wants_what_is_not_there(train, test, fails, tmp_path):
    assert train(config='nowhere.py') == "config 'nowhere.py' does not exist"
    assert test('any.pth', config='nowhere.py') == "config 'nowhere.py' does not exist"
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = './nowhere.py'")
    assert 'nowhere.py' in train(config=path)
    path.write_text("custom_imports = dict(imports=['no_such_module'])")
    assert 'no_such_module' in train(config=path)
    path.write_text("auto_scale_lr = None\nmodel = dict(type='A')\n")
    said = fails('tools/test.py', path, 'any.pth')
    assert said == f'config {str(path)!r} has no test_dataloader, no test_cfg, no test_evaluator'


def test_something_else_than_a_config(fails, tmp_path):
    path = tmp_path / 'notes.txt'
    path.write_text('some words')
    assert 'Only py/yml/yaml/json type are supported' in fails('tools/train.py', path)
    for suffix in ('json', 'yml'):
        path = tmp_path / f'mine.{suffix}'
        path.write_text('{a: [')
        assert f'mine.{suffix}' in fails('tools/train.py', path)
    assert f'config {str(tmp_path)!r} does not exist' in fails('tools/train.py', tmp_path)


@pytest.mark.parametrize('name', ['instances.json', 'refs(synthetic).json'])
@pytest.mark.parametrize('content', ['half', b'', b'<html>', b'[1]', b'{}', b'null', b'\xff\xfe'])
def test_damaged_annotations(train, shapes, tmp_path, name, content):
    data = tmp_path / 'data'
    shutil.copytree(shapes, data)
    (path,) = (p for p in (data / 'refshapes').iterdir() if p.stem == name.partition('.')[0])
    path.write_bytes(
        path.read_bytes()[: path.stat().st_size // 2] if content == 'half' else content
    )
    assert path.name in train(f'train_dataloader.dataset.data_root={data}')


@pytest.mark.parametrize('workers', [0, 1])
def test_a_damaged_picture(train, shapes, tmp_path, workers):
    data = tmp_path / 'data'
    shutil.copytree(shapes, data)
    for path in (data / 'images').glob('*train*'):
        path.write_bytes(path.read_bytes()[:200])
    said = train(
        f'train_dataloader.dataset.data_root={data}', f'train_dataloader.num_workers={workers}'
    )
    assert '\n' not in said and f'{data.name}/images/refshapes_train_' in said
    # where a developer looks
    (log,) = (tmp_path / 'work').glob('*/*.log')
    text = log.read_text(encoding='utf-8')
    assert 'Traceback (most recent call last)' in text and 'loading.py' in text


def test_a_work_dir_that_cannot_be_written(fails, options):
    said = fails('tools/train.py', CONFIG, f'--work-dir={NO_FOLDER}', '--cfg-options', *options)
    assert NO_FOLDER in said


def test_resuming_without_a_checkpoint_is_said(script, options, tmp_path, capfd):
    script(
        'tools/train.py', CONFIG, f'--work-dir={tmp_path}', '--resume', '--cfg-options', *options
    )
    said = f'--resume: no checkpoint in {str(tmp_path)!r}, training begins anew'
    (log,) = tmp_path.glob('*/*.log')
    assert log.read_text(encoding='utf-8').count(said) == 1
    assert (tmp_path / 'iter_3.pth').is_file()


def test_resuming_from_what_is_gone_or_damaged(train, trained, tmp_path):
    work = tmp_path / 'work'
    work.mkdir()
    (work / 'last_checkpoint').write_text('/elsewhere/iter_3.pth')
    assert "names 'iter_3.pth', which is neither in" in train(arguments=['--resume'])
    (work / 'iter_3.pth').write_bytes((trained / 'iter_3.pth').read_bytes()[:5000])
    assert 'is no torch file, or a damaged one' in train(arguments=['--resume'])


@pytest.mark.parametrize('name', ['a.pth', 'a.safetensors'])
@pytest.mark.parametrize('content', [b'', b'some words', bytes(999), 'half'])
def test_a_file_that_is_no_checkpoint(test, fails, trained, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes((trained / 'iter_3.pth').read_bytes()[:5000] if content == 'half' else content)
    kind = 'torch' if name == 'a.pth' else 'safetensors'
    said = f'checkpoint {str(path)!r} is no {kind} file, or a damaged one'
    assert test(path) == said
    assert fails('tools/export.py', CONFIG, path, tmp_path / 'out') == said
    assert fails('tools/misc/publish_model.py', path, tmp_path / 'out') == said
    for tool in ('remamber', 'vmamba', 'clip'):
        assert fails(f'tools/model_converters/{tool}.py', path, tmp_path / 'b.pth') == said
    assert not (tmp_path / 'b.pth').exists() and not (tmp_path / 'out').exists()


def test_a_checkpoint_of_another_model_or_none(test, fails, trained, tmp_path):
    other = CONFIG.with_name(CONFIG.name.replace('remamber-conv', 'remamber-mamba'))
    match = 'checkpoint .* is of another model than the config(.|\n)*decode_head.neck.0.0.weight'
    checkpoint = trained / 'iter_3.pth'
    assert re.match(match, test(checkpoint, config=other))
    assert re.match(match, fails('tools/export.py', other, checkpoint, tmp_path / 'out'))
    assert not (tmp_path / 'out').exists()
    assert test('nowhere.pth') == "checkpoint 'nowhere.pth' does not exist"
    torch.save([1, 2], tmp_path / 'list.pth')
    assert 'holds a list, not a dict' in test(tmp_path / 'list.pth')


def test_results_that_cannot_be_written(test, fails, trained, tmp_path, monkeypatch):
    checkpoint = trained / 'iter_3.pth'
    out = f'{NO_FOLDER}/m.json'
    monkeypatch.setattr('mmengine.runner.TestLoop.run', lambda self: pytest.fail('it tested first'))
    assert NO_FOLDER in test(checkpoint, arguments=[f'--metrics-out={out}'])
    assert NO_FOLDER in fails('tools/export.py', CONFIG, checkpoint, NO_FOLDER)
    assert '/dev/null' in fails('tools/misc/publish_model.py', checkpoint, out)
    for tool in ('remamber', 'vmamba', 'clip'):
        said = fails(f'tools/model_converters/{tool}.py', checkpoint, out)
        assert said == f'there is no folder {NO_FOLDER!r} to write in'
    # a name that is too long is found when the file is written
    for suffix in ('pth', 'safetensors'):
        long = tmp_path / f'{"x" * 300}.{suffix}'
        assert 'xxx' in fails('tools/model_converters/clip.py', checkpoint, long)


@HOOKS.register_module()
class SlipHook(Hook):
    """A fault of the program."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        return outputs['no such loss']


def test_a_fault_of_the_program_keeps_its_traceback(script, options, tmp_path):
    with pytest.raises(KeyError, match='no such loss'):
        script(
            'tools/train.py', CONFIG, f'--work-dir={tmp_path}', '--cfg-options', *options,
            "custom_hooks=[{'type': 'SlipHook'}]",
        )  # fmt: skip
    (log,) = tmp_path.glob('*/*.log')
    assert "KeyError: 'no such loss'" in log.read_text(encoding='utf-8')


def test_status_and_streams_of_a_process(root, tmp_path):
    done = subprocess.run(
        [sys.executable, 'tools/train.py', 'nowhere.py', f'--work-dir={tmp_path}'],
        cwd=root, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.splitlines()[-1] == "error: config 'nowhere.py' does not exist"
    assert 'Traceback' not in done.stderr


ONE_FAILS = """
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class OneFailsHook(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.rank == 1 and runner.iter == 1:
            raise ValueError('ref 7 cannot be read')
"""


@pytest.mark.slow
@pytest.mark.parametrize('where', ['config', 'step'])
def test_processes_end_together_though_one_met_the_error(
    run, free_port, options, tmp_path, monkeypatch, where
):
    monkeypatch.setenv('PORT', free_port())
    config = tmp_path / 'mine.py'
    config.write_text(f'_base_ = {str(CONFIG)!r}\n')
    if where == 'config':
        config.write_text(
            config.read_text() + "import os\nif os.environ['RANK'] == '1':\n    1 / 0\ndel os\n"
        )
    else:
        (tmp_path / 'one_fails.py').write_text(ONE_FAILS)
        monkeypatch.setenv('PYTHONPATH', str(tmp_path))
        config.write_text(
            config.read_text()
            + "custom_imports = dict(imports=['mmseg_remamber.register', 'one_fails'])\n"
            + "custom_hooks = [dict(type='OneFailsHook')]\n"
        )
    output = run(
        'tools/dist_train.sh', config, '2', f'--work-dir={tmp_path / "work"}', '--cfg-options',
        *options, 'train_cfg.max_iters=100000', 'train_cfg.val_interval=100000', check=False,
    )  # fmt: skip
    message = 'division by zero' if where == 'config' else 'error: ref 7 cannot be read'
    assert message in output, output[-3000:]
    assert not (tmp_path / 'work' / 'iter_3.pth').exists()
