# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Many pictures, one failure: the others' results are whole, and nothing is silent."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg_remamber.__main__ import main
from mmseg_remamber.apis import RefSegInferencer


@pytest.fixture(scope='module')
def inferencer(tiny_checkpoint):
    return RefSegInferencer(weights=str(tiny_checkpoint), show_progress=False)


@pytest.fixture
def folder(tmp_path):
    """Five files, of which the second and the fourth are no pictures."""
    folder = tmp_path / 'my pictures, [1]'
    folder.mkdir()
    for number, name in enumerate('abcde'):
        pixels = np.random.default_rng(number).integers(256, size=(40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'{name}.png')
    (folder / 'b.png').write_bytes((folder / 'b.png').read_bytes()[:900])
    (folder / 'd.png').write_text('no picture')
    return folder


def listed(out):
    """What results.json lists, and that all of it is there and nothing else."""
    content = json.loads((out / 'results.json').read_text())
    files = {image['overlay'] for image in content['images']}
    files |= {annotation['mask'] for annotation in content['annotations']}
    there = {str(path.relative_to(out)) for path in out.rglob('*.png')}
    assert files == there and not list(out.rglob('*.part'))
    return [image['file_name'] for image in content['images']]


def test_one_bad_picture_does_not_lose_the_others(inferencer, folder, tmp_path):
    texts = ['a cat', 'it']
    found = inferencer(folder, texts, out_dir=tmp_path / 'out', keep_going=True, batch_size=3)
    assert [len(masks) for masks in found['predictions']] == [2, 0, 2, 0, 2]
    assert [failure.number for failure in found['failures']] == [2, 4]
    for failure, name in zip(found['failures'], 'bd', strict=True):
        assert f'{name}.png' in failure.name and f'{name}.png' in failure.error
    assert listed(tmp_path / 'out') == ['a', 'c', 'e']
    alone = inferencer(folder / 'c.png', texts)
    for a, b in zip(alone['predictions'][0], found['predictions'][2], strict=True):
        assert a.text == b.text and (a.mask == b.mask).all()


def test_the_command_lists_what_failed(tiny_checkpoint, folder, tmp_path, capsys):
    out = tmp_path / 'out'
    arguments = [str(folder), 'a cat', '--checkpoint', str(tiny_checkpoint), '--out', str(out)]
    assert main([*arguments, '--no-progress']) == 1
    printed = capsys.readouterr()
    errors = [line for line in printed.err.splitlines() if line.startswith('error: ')]
    assert ['b.png' in errors[0], 'd.png' in errors[1], len(errors)] == [True, True, 2]
    assert '3 of 5 pictures could be read' in printed.err and 'Traceback' not in printed.err
    assert printed.out.count('of the picture)') == 3
    assert listed(out) == ['a', 'c', 'e']


def test_without_it_the_first_failure_is_raised_and_what_was_found_is_written(
    inferencer, folder, tmp_path
):
    with pytest.raises(ValueError, match=r'b\.png'):
        inferencer(folder, 'a cat', out_dir=tmp_path / 'out', batch_size=1)
    assert listed(tmp_path / 'out') == ['a']


@pytest.mark.parametrize('ending', [KeyboardInterrupt, MemoryError])
def test_results_so_far_are_whole_whatever_ends_the_call(
    inferencer, folder, tmp_path, monkeypatch, ending
):
    drawn = []

    def draw(pictures, masks):
        if drawn:
            raise ending
        drawn.append(1)
        return [np.zeros((4, 4, 3), np.uint8)]

    monkeypatch.setattr(inferencer, 'visualize', draw)
    pictures = [folder / f'{name}.png' for name in 'ace']
    with pytest.raises(ending):
        inferencer(pictures, 'a cat', out_dir=tmp_path / 'out')
    assert listed(tmp_path / 'out') == ['a']


def test_results_of_an_earlier_run_do_not_mix_with_a_later_ones(inferencer, folder, tmp_path):
    out = tmp_path / 'out'
    inferencer([folder / 'a.png', folder / 'c.png'], ['x', 'y', 'z'], out_dir=out)
    (out / 'vis' / 'of mine.txt').write_text('kept')
    inferencer(folder / 'e.png', 'x', out_dir=out)
    assert listed(out) == ['e'] and (out / 'vis' / 'of mine.txt').is_file()


@pytest.mark.parametrize(
    'content', ['', '[]', '{"images": 3}', '{"images": [], "annotations": [{"mask": "../a.png"}]}']
)
def test_other_results_files_harm_nothing(inferencer, folder, tmp_path, content):
    (tmp_path / 'a.png').write_text('kept')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'results.json').write_text(content)
    inferencer(folder / 'e.png', 'x', out_dir=tmp_path / 'out')
    assert listed(tmp_path / 'out') == ['e'] and (tmp_path / 'a.png').read_text() == 'kept'


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_result_that_is_no_number_is_not_nothing_found(tiny_checkpoint, folder, value):
    broken = RefSegInferencer(weights=str(tiny_checkpoint), show_progress=False)
    with torch.no_grad():
        broken.model.decode_head.conv_seg.bias.fill_(value)
    with pytest.raises(FloatingPointError, match=r"result of 'a cat' in picture 'a' is no number"):
        broken(folder / 'a.png', 'a cat')
