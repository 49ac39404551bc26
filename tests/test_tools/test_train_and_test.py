# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands of the README, on a few synthetic scenes."""

import json
import socket

import pytest

CONFIG = 'configs/remamber/remamber-conv_vmamba-mini_1xb16-2800i_refshapes-80x80.py'


def free_port() -> str:
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return str(s.getsockname()[1])


def scalars(work):
    """Lines of the JSON log of the latest run in a work dir."""
    log = max(work.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for line in log.read_text().splitlines()]


def evaluate(run, work, options, *extra):
    out = work / 'metrics.json'
    run(
        'tools/test.py', CONFIG, str(work / 'iter_3.pth'), f'--work-dir={work}',
        f'--metrics-out={out}', '--cfg-options', *options, *extra,
    )  # fmt: skip
    return json.loads(out.read_text())


def test_training_writes_losses_metrics_and_a_checkpoint(trained):
    lines = scalars(trained)
    steps = [line for line in lines if 'loss_dice' in line]
    assert [line['step'] for line in steps] == [1, 2, 3]
    assert all({'loss_bce', 'grad_norm', 'lr'} <= set(line) for line in steps)
    assert 'mIoU' in lines[-1]
    assert (trained / 'iter_3.pth').is_file()


def test_testing_repeats_the_validation_and_counts_every_sentence(run, trained, options, shapes):
    from mmseg.registry import DATASETS

    metrics = evaluate(run, trained, options)
    assert metrics['mIoU'] == pytest.approx(scalars(trained)[0].get('mIoU', metrics['mIoU']))
    dataset = DATASETS.build(
        dict(
            type='RefCOCODataset', data_root=str(shapes), dataset='refshapes',
            split_by='synthetic', split='val', img_dir='images', test_mode=True,
        )
    )  # fmt: skip
    assert metrics['num_sentences'] == len(dataset)


def test_testing_in_bfloat16_is_near_float32(run, trained, options):
    """Of a model that has learnt nothing: its masks differ at the threshold."""
    want = evaluate(run, trained, options)
    got = evaluate(run, trained, options, 'model.predict_dtype=bfloat16')
    assert got['num_sentences'] == want['num_sentences']
    assert got['mIoU'] == pytest.approx(want['mIoU'], abs=2)
    assert got['mIoU'] != want['mIoU']


def test_resume_goes_on_where_it_stopped(run, trained, options, tmp_path):
    import shutil

    work = tmp_path / 'work'
    shutil.copytree(trained, work)
    more = [o for o in options if 'max_iters' not in o]
    (work / 'last_checkpoint').write_text(str(work / 'iter_3.pth'))
    run(
        'tools/train.py', CONFIG, f'--work-dir={work}', '--resume',
        '--cfg-options', *more, 'train_cfg.max_iters=5',
    )  # fmt: skip
    assert [line['step'] for line in scalars(work) if 'loss_dice' in line] == [4, 5]


@pytest.mark.slow
def test_two_processes_train_and_count_every_sentence_once(run, options, tmp_path, monkeypatch):
    monkeypatch.setenv('PORT', free_port())
    work = tmp_path / 'work'
    output = run(
        'tools/dist_train.sh', CONFIG, '2', f'--work-dir={work}', '--cfg-options', *options
    )
    assert 'No CUDA device: processes communicate through gloo' in output
    checkpoint = str(work / 'iter_3.pth')
    one = evaluate(run, work, options)
    assert one['num_sentences'] % 2 == 1  # the last shard is padded
    monkeypatch.setenv('PORT', free_port())
    two_file = tmp_path / 'two.json'
    run(
        'tools/dist_test.sh', CONFIG, checkpoint, '2', f'--work-dir={work}',
        f'--metrics-out={two_file}', '--cfg-options', *options,
    )  # fmt: skip
    two = json.loads(two_file.read_text())
    assert two == pytest.approx(one, abs=1e-9)


def test_a_checkpoint_of_another_model_is_refused(run, trained, options):
    other = CONFIG.replace('remamber-conv', 'remamber-mamba')
    output = run(
        'tools/test.py', other, str(trained / 'iter_3.pth'), f'--work-dir={trained}',
        '--cfg-options', *options, check=False,
    )  # fmt: skip
    assert 'ValueError: checkpoint' in output
    assert 'is of another model than the config' in output
    assert 'decode_head.neck.0.0.weight' in output


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere.py'], "config 'nowhere.py' does not exist"),
        ([CONFIG, '--cfg-options', 'modle.type=X'], "no 'modle'; did you mean model"),
        ([CONFIG, '--cfg-options', 'model.backbone.drop_pth=1'], 'drop_pth'),
        ([CONFIG, '--cfg-options', 'model.predict_dtype=half'], 'predict_dtype must be one of'),
        ([CONFIG, '--cfg-options', 'compile=yes'], 'compile must be True, False or a dict'),
        ([CONFIG, '--cfg-options', 'train_dataloader.dataset.split=tran'], "'tran'"),
        ([CONFIG, '--cfg-options', 'train_dataloader.dataset.data_root=/nowhere'], '/nowhere'),
    ],
)
def test_mistakes_are_named(run, options, arguments, message, tmp_path):
    if '--cfg-options' in arguments:
        arguments = [*arguments[:2], *options, *arguments[2:]]
    output = run('tools/train.py', *arguments, f'--work-dir={tmp_path}', check=False)
    assert 'Error' in output
    assert message in output.splitlines()[-1] + output


def test_gallery(run, trained, options, tmp_path):
    import mmcv

    out = tmp_path / 'pictures' / 'gallery.png'
    output = run(
        'tools/analysis_tools/gallery.py', CONFIG, str(trained / 'iter_3.pth'), str(out),
        '--num=4', '--cfg-options', *options,
    )  # fmt: skip
    assert '4 of' in output
    assert mmcv.imread(out).std() > 5
