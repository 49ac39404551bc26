# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""`python -m mmseg_remamber` and tools/infer.py, which is the same."""

import json
import os
import runpy
import shutil
import subprocess
import sys

import pytest
import tiny_model

from mmseg_remamber.__main__ import main


@pytest.fixture
def image(scenes):
    return str(min((scenes / 'images').glob('*.jpg')))


def test_one_command_one_picture(root, tiny_checkpoint, image, tmp_path, monkeypatch, capsys):
    """From the folder in which the quickstart ran, without any option but the output."""
    work = tmp_path / 'quickstart' / 'work'
    work.mkdir(parents=True)
    shutil.copy(tiny_checkpoint, work / 'iter_3.pth')
    (work / 'last_checkpoint').write_text('/elsewhere/quickstart/work/iter_3.pth')
    arguments = [image, 'the red circle', 'left shape', '--out', 'out']
    results = tmp_path / 'out' / 'results.json'
    done = subprocess.run(
        [sys.executable, '-m', 'mmseg_remamber', *arguments],
        cwd=tmp_path, env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(root)},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'model: quickstart/work/iter_3.pth' in done.stdout
    outputs = [json.loads(results.read_text())]
    results.unlink()
    # the same as a script, in this process
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['infer.py', *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(root / 'tools' / 'infer.py'), run_name='__main__')
    assert ended.value.code == 0
    assert 'model: quickstart/work/iter_3.pth' in capsys.readouterr().out
    outputs.append(json.loads(results.read_text()))
    assert [entry['text'] for entry in outputs[0]['annotations']] == [
        'the red circle',
        'left shape',
    ]
    assert outputs[0] == outputs[1]
    name = outputs[0]['images'][0]['file_name']
    for file in (f'vis/{name}.png', f'pred/{name}_1.png', f'pred/{name}_2.png'):
        assert (tmp_path / 'out' / file).is_file()


def test_a_given_model_is_used_and_named(tiny_checkpoint, image, tmp_path, capsys):
    arguments = [image, 'x', '--checkpoint', str(tiny_checkpoint), '--out', str(tmp_path)]
    named = ['--model', tiny_model.CONFIG.stem, '--threshold', '0.99999', '--device', 'cpu']
    assert main([*arguments, *named]) == 0
    output = capsys.readouterr().out
    assert f'model: {tiny_checkpoint}' in output
    assert 'nothing found: x (0.0 % of the picture)' in output


def test_options_of_computing_reach_the_inferencer(tiny_checkpoint, image, tmp_path, monkeypatch):
    import mmseg_remamber.apis

    given = {}

    class Inferencer:
        trained_on = None

        def __init__(self, *args, **options):
            given.update(options)

        def __call__(self, *args, **options):
            return dict(predictions=[], failures=[])

    monkeypatch.setattr(mmseg_remamber.apis, 'RefSegInferencer', Inferencer)
    arguments = [image, 'x', '--checkpoint', str(tiny_checkpoint), '--out', str(tmp_path)]
    assert main([*arguments, '--dtype', 'bfloat16', '--compile', 'reduce-overhead']) == 0
    assert given['dtype'] == 'bfloat16' and given['compile'] == dict(mode='reduce-overhead')
    assert main(arguments) == 0
    assert given['dtype'] is None and given['compile'] is None


def errors_of(arguments, capsys):
    """What a command that fails says is wrong, a line each."""
    try:
        assert main(arguments) == 1
        said = ''
    except SystemExit as end:
        said = end.code  # printed where the interpreter ends
    lines = (capsys.readouterr().err + said).splitlines()
    return [line for line in lines if line.startswith('error:')]


@pytest.mark.parametrize(
    ('change', 'match'),
    [
        (dict(image='nowhere.jpg'), "error: no picture 'nowhere.jpg'"),
        (dict(sentence=' '), "error: a sentence must have a word, got ' '"),
        (dict(checkpoint='nowhere.pth'), 'nowhere.pth'),
        (dict(model='no-such-model'), "error: no model is named 'no-such-model'"),
        (dict(out='/dev/null/out'), "error: out_dir '/dev/null/out' cannot be written"),
        (dict(dtype='float16', device='cpu'), "error: dtype 'float16' needs a GPU"),
        (dict(model='x', checkpoint=None), 'error: --model x needs --checkpoint'),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tiny_checkpoint, image, tmp_path, capsys, change, match):
    given = dict(image=image, sentence='x', checkpoint=str(tiny_checkpoint), out=str(tmp_path))
    given.update(change)
    arguments = [given.pop('image'), given.pop('sentence')]
    arguments += [f'--{key}={value}' for key, value in given.items() if value is not None]
    (line,) = errors_of(arguments, capsys)
    assert match in line


def test_without_a_quickstart_it_says_what_to_do(image, tmp_path, monkeypatch, capsys):
    import mmseg_remamber

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mmseg_remamber, '__file__', str(tmp_path / 'package' / '__init__.py'))
    (error,) = errors_of([image, 'x', '--out', 'out'], capsys)
    assert '--checkpoint' in error and '--model' in error and 'make quickstart' in error
    assert not (tmp_path / 'out').exists()
