# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands of the README, on a few synthetic scenes."""

import json
import re
import shutil

import pytest
from tiny_model import CONFIG


def scalars(work):
    """Lines of the JSON log of the latest run in a work dir."""
    log = max(work.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.fixture
def evaluate(script, options, tmp_path):
    """Metrics of a checkpoint by tools/test.py."""

    def call(checkpoint, *extra):
        out = tmp_path / 'metrics.json'
        script(
            'tools/test.py', CONFIG, checkpoint, f'--work-dir={tmp_path / "test"}',
            f'--metrics-out={out}', '--cfg-options', *options, *extra,
        )  # fmt: skip
        return json.loads(out.read_text())

    return call


def test_training_writes_losses_metrics_and_a_checkpoint(trained):
    lines = scalars(trained)
    steps = [line for line in lines if 'loss_dice' in line]
    assert [line['step'] for line in steps] == [1, 2, 3]
    assert all({'loss_bce', 'grad_norm', 'lr'} <= set(line) for line in steps)
    assert 'mIoU' in lines[-1]
    assert (trained / 'iter_3.pth').is_file()


def test_testing_repeats_the_validation_and_counts_every_sentence(evaluate, trained, shapes):
    from mmseg.registry import DATASETS

    metrics = evaluate(trained / 'iter_3.pth')
    assert metrics['mIoU'] == pytest.approx(scalars(trained)[-1]['mIoU'])
    dataset = DATASETS.build(
        dict(
            type='RefCOCODataset', data_root=str(shapes), dataset='refshapes',
            split_by='synthetic', split='val', img_dir='images', test_mode=True,
        )
    )  # fmt: skip
    assert metrics['num_sentences'] == len(dataset)


def test_testing_in_bfloat16_is_near_float32(evaluate, trained):
    """Of a model that has learnt nothing: its masks differ at the threshold."""
    want = evaluate(trained / 'iter_3.pth')
    got = evaluate(trained / 'iter_3.pth', 'model.predict_dtype=bfloat16')
    assert got['num_sentences'] == want['num_sentences']
    assert got['mIoU'] == pytest.approx(want['mIoU'], abs=2)
    assert got['mIoU'] != want['mIoU']


def test_resume_goes_on_where_it_stopped(script, trained, options, tmp_path):
    work = tmp_path / 'work'
    shutil.copytree(trained, work)
    more = [o for o in options if 'max_iters' not in o]
    (work / 'last_checkpoint').write_text(str(work / 'iter_3.pth'))
    script(
        'tools/train.py', CONFIG, f'--work-dir={work}', '--resume',
        '--cfg-options', *more, 'train_cfg.max_iters=5',
    )  # fmt: skip
    assert [line['step'] for line in scalars(work) if 'loss_dice' in line] == [4, 5]


@pytest.mark.slow
def test_two_processes_train_and_count_every_sentence_once(
    run, free_port, evaluate, options, tmp_path, monkeypatch
):
    monkeypatch.setenv('PORT', free_port())
    work = tmp_path / 'work'
    output = run(
        'tools/dist_train.sh', str(CONFIG), '2', f'--work-dir={work}', '--cfg-options', *options
    )
    assert 'No CUDA device: processes communicate through gloo' in output
    checkpoint = str(work / 'iter_3.pth')
    one = evaluate(checkpoint)
    assert one['num_sentences'] % 2 == 1  # the last shard is padded
    monkeypatch.setenv('PORT', free_port())
    two_file = tmp_path / 'two.json'
    run(
        'tools/dist_test.sh', str(CONFIG), checkpoint, '2', f'--work-dir={work}',
        f'--metrics-out={two_file}', '--cfg-options', *options,
    )  # fmt: skip
    two = json.loads(two_file.read_text())
    assert two == pytest.approx(one, abs=1e-9)


def test_gallery(script, trained, options, tmp_path, capsys):
    import mmcv

    sizes = []
    for name, more in (('chosen.png', []), ('failures.png', ['--failures=2'])):
        out = tmp_path / 'pictures' / name
        script(
            'tools/analysis_tools/gallery.py', CONFIG, trained / 'iter_3.pth', out,
            '--num=4', *more, '--cfg-options', *options,
        )  # fmt: skip
        said = capsys.readouterr().out
        assert re.search(r'4 of \d+ sentences, evenly spread', said)
        # three iterations find nothing
        assert bool(re.search(r'2 of the \d+ with an IoU under 50', said)) == bool(more)
        assert mmcv.imread(out).std() > 5
        sizes.append(mmcv.imread(out).shape[0])
    assert sizes[1] > sizes[0]
