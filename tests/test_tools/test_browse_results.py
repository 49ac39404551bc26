# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
import json
import re
import runpy
import shutil
import sys

import pytest

CONFIG = 'configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'


@pytest.fixture(scope='module')
def page(root, shapes, trained, tmp_path_factory):
    """The page of a model's results, one sentence of which tries to be a program."""
    folder = tmp_path_factory.mktemp('page')
    checkpoint = str(trained / 'iter_3.pth')
    data = tmp_path_factory.mktemp('data') / 'data'
    shutil.copytree(shapes, data)
    options = [
        f'test_dataloader.dataset.data_root={data}',
        'test_dataloader.dataset.split=val',
        'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False',
    ]
    records = folder / 'records.jsonl'
    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.chdir(root)
        for tool, arguments in (
            ('test.py', [f'--work-dir={folder}', '--cfg-options', *options,
                         f'test_evaluator.records_file={records}']),
            ('analysis_tools/browse_results.py',
             [str(records), str(folder / 'out'), '--num=6', '--cfg-options', *options]),
        ):  # fmt: skip
            if tool != 'test.py':
                lines = [json.loads(line) for line in records.read_text().splitlines()]
                lines[0]['text'] = '</script><img src=x onerror="document.title=1"> red left'
                records.write_text(''.join(json.dumps(line) + '\n' for line in lines))
            context.setattr(sys, 'argv', [tool, CONFIG, checkpoint, *arguments])
            runpy.run_path(f'tools/{tool}', run_name='__main__')
    return folder / 'out', [json.loads(line) for line in records.read_text().splitlines()]


def test_files(page):
    out, records = page
    table = json.loads((out / 'groups.json').read_text())
    assert table[0]['sentences'] == len(records)
    mean = 100 * sum(r['iou'] for r in records) / len(records)
    assert table[0]['mIoU'] == pytest.approx(mean)
    assert len(list((out / 'pictures').iterdir())) == 6
    text = (out / 'index.html').read_text()
    assert text.count('</script>') == 2
    assert 'background: rgb(240, 228, 66)">found' in text
    assert not re.search('@[A-Z]+@', text)


@pytest.mark.slow
def test_in_the_browser(page):
    playwright = pytest.importorskip(
        'playwright.sync_api', reason='the browser test needs playwright'
    )
    chromium = shutil.which('chromium')
    if chromium is None:
        pytest.skip('no chromium is installed')
    out, records = page
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=['--no-sandbox'])
        tab = browser.new_page()
        errors = []
        tab.on('pageerror', lambda error: errors.append(error))
        tab.on('requestfailed', lambda request: errors.append(request.url))
        tab.goto((out / 'index.html').as_uri())
        cards = tab.locator('.card')
        assert cards.count() == 6
        shown = cards.locator('img').evaluate_all(
            'all => Promise.all(all.map(i => i.decode().then(() => 1)))'
        )
        assert shown == [1] * 6

        tab.uncheck('#pictured')
        assert cards.count() == min(len(records), 48)
        worst, best = min(records, key=lambda r: r['iou']), max(records, key=lambda r: r['iou'])
        assert f'IoU {100 * worst["iou"]:.1f} %' in cards.first.inner_text()
        tab.select_option('#order', 'best')
        assert f'IoU {100 * best["iou"]:.1f} %' in cards.first.inner_text()

        tab.fill('#word', 'left')
        left = [r for r in records if 'left' in r['text'].split()]
        assert 0 < len(left) < len(records)
        assert f'{len(left)} of {len(records)} sentences' in tab.inner_text('#summary')
        tab.fill('#word', '')
        row = tab.locator('#groups tr', has=tab.locator('td', has_text='left')).first
        row.click()
        assert f'{row.locator("td").nth(2).inner_text()} of' in tab.inner_text('#summary')
        assert tab.title() == 'Results by sentence'  # the sentence stayed text
        assert not errors
        browser.close()


@pytest.mark.parametrize(
    'line', ['', '{', '[]', '{"text": "a"}', '{"text": "a", "iou": 1, "img_path": "a.png"}']
)
def test_a_line_that_is_no_record_is_named(script, trained, tmp_path, line):
    records = tmp_path / 'records.jsonl'
    records.write_text(f'{line}\n')
    arguments = (CONFIG, trained / 'iter_3.pth', records, tmp_path / 'out')
    with pytest.raises(SystemExit, match=r'records\.jsonl, line 1 is no record of RefSegMetric'):
        script('tools/analysis_tools/browse_results.py', *arguments)
    assert not (tmp_path / 'out').exists()
