# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The model index that mim and mmengine's inferencers read."""

from pathlib import Path

import pytest
import yaml
from mmengine.infer import BaseInferencer

from mmseg_remamber.configuration import load_config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def metafiles():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    return {path: yaml.safe_load((ROOT / path).read_text()) for path in index['Import']}


@pytest.fixture(scope='module')
def models(metafiles):
    return [model for metafile in metafiles.values() for model in metafile['Models']]


def test_every_family_is_in_the_index(metafiles):
    assert set(metafiles) == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / 'configs').rglob('metafile.yml')
    }


def test_every_config_is_listed_once_and_every_listed_one_exists(models):
    """Ablations are settings of a study, no models to choose from: their files have names."""
    listed = [model['Config'] for model in models]
    present = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / 'configs').rglob('*.py')
        if not {'_base_', 'ablations'} & set(path.parts)
    }
    assert len(set(listed)) == len(listed)
    assert set(listed) - present == set(), 'listed, but there is no such file'
    assert present - set(listed) == set(), 'add these to the metafile.yml beside them'


def test_entries_say_what_the_configs_say(models):
    for model in (m for m in models if not m['Config'].startswith('configs/vmamba/')):
        cfg, metadata = load_config(ROOT / model['Config']), model['Metadata']
        assert model['Name'] == Path(model['Config']).stem
        name = model['Name']
        gpus = int(name.rpartition('xb')[0].rpartition('_')[2])
        batch = gpus * cfg.train_dataloader.batch_size
        assert metadata['Batch Size'] == batch == cfg.auto_scale_lr.base_batch_size, name
        length = cfg.train_cfg.get('max_epochs', cfg.train_cfg.get('max_iters'))
        assert metadata.get('Epochs', metadata.get('Iterations')) == length, name
        assert ('Epochs' in metadata) == ('max_epochs' in cfg.train_cfg), name
        assert metadata['Input Size'] == name.rpartition('-')[2]
        for step in cfg.test_dataloader.dataset.pipeline:
            if step.type == 'Resize':
                assert metadata['Input Size'] == '{}x{}'.format(*step.scale), name


def test_collections_have_a_paper_and_models_one_of_them(metafiles):
    for metafile in metafiles.values():
        collections = {collection['Name']: collection for collection in metafile['Collections']}
        assert {model['In Collection'] for model in metafile['Models']} == set(collections)
        for collection in collections.values():
            assert collection['Paper']['URL'].startswith('https://')
            assert (ROOT / collection['README']).is_file()


def test_no_weights_are_promised_that_do_not_exist(models):
    assert [model['Name'] for model in models if 'Weights' in model] == []


def test_results_are_those_of_the_quickstart(models):
    """The one training of ours that a command repeats; its figures are the README's."""
    (model,) = [model for model in models if 'Results' in model]
    assert f'{model["Config"]}' in (ROOT / 'tools' / 'quickstart.py').read_text()
    readme = (ROOT / 'README.md').read_text()
    rows = {
        'RefShapes val': 'scenes it was not trained on',
        'RefShapes testC': 'scenes of colour-shape pairs it never saw',
    }
    assert [result['Dataset'] for result in model['Results']] == list(rows)
    for result in model['Results']:
        figures = [result['Metrics'][name] for name in ('mIoU', 'oIoU', 'Pr@0.5')]
        assert f'| {rows[result["Dataset"]]} | {" | ".join(map(str, figures))} |' in readme
    unseen, pairs = (result['Metrics']['mIoU'] for result in model['Results'])
    family = (ROOT / 'configs' / 'remamber' / 'README.md').read_text()
    assert f'{unseen} (new scenes), {pairs} (new pairs of colour and shape)' in family


def test_entries_have_the_fields_of_openmmlabs_schema(models):
    for model in models:
        assert {'Name', 'In Collection', 'Config', 'Metadata'} <= set(model)
        assert set(model) <= {'Name', 'In Collection', 'Config', 'Metadata', 'Results'}
        for result in model.get('Results', []):
            assert set(result) == {'Task', 'Dataset', 'Metrics'}


def test_an_inferencer_finds_the_models(models):
    folder = BaseInferencer._get_repo_or_mim_dir('mmseg_remamber')
    found = [model['Name'] for model in BaseInferencer._get_models_from_metafile(folder)]
    assert found == [model['Name'] for model in models]
