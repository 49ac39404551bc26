# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""VMamba's receptive field and attention maps, against the published programs' numbers."""

import golden
import pytest
import torch

from mmseg_remamber.analysis.maps import hooked
from mmseg_remamber.analysis.published_field import (
    POWERS,
    THRESHOLDS,
    high_contribution_areas,
    last_map,
    mean_contribution,
    shown,
)
from mmseg_remamber.analysis.scans import (
    KINDS,
    attention_maps,
    normalised,
    query_number,
    route_weights,
)
from mmseg_remamber.vmamba import VMamba
from mmseg_remamber.vmamba.weights import from_official

DOWN_V2 = dict(
    dim=16, depths=(1, 1, 2, 1), ssm_ratio=2.0, gated=True, conv_bias=True, drop_path_rate=0.0,
    state_dim=2, mlp_ratio=4.0, patch_embed='v2', downsample='v2',
)  # fmt: skip


@pytest.fixture(scope='module')
def want():
    return golden.arrays('vmamba_analysis_small')


@pytest.fixture(scope='module')
def backbone():
    state = from_official(golden.weights('vmamba_backbone_small'))
    backbone = VMamba(golden.SMALL_ARCH).eval()
    backbone.load_state_dict({key.removeprefix('backbone.'): v for key, v in state.items()})
    return backbone


def features(backbone):
    return lambda img: last_map(backbone, img)


def test_published_receptive_field(backbone, want):
    images = want['erf_img'].split(1)
    field, count = mean_contribution(features(backbone), images)
    assert count == len(images)
    assert golden.relative(field, want['erf_mean']) < 1e-5
    assert golden.relative(shown(field), want['erf_shown']) < 1e-5
    for name, key in (('newest', 'erf_side'), ('first', 'erf_side_seed')):
        areas = high_contribution_areas(shown(field, POWERS[name]))
        sides = [area[0] if area else -1 for area in areas.values()]
        assert list(areas) == list(THRESHOLDS)
        assert sides == want[key].tolist(), name


def test_of_a_square_map_the_areas_are_known():
    areas = high_contribution_areas(torch.ones(9, 9), (0.1, 0.3, 0.9))
    assert areas == {0.1: (3, 9 / 81), 0.3: (5, 25 / 81), 0.9: None}


def test_images_without_a_gradient_are_left_out(backbone, want):
    good = want['erf_img'][:1]
    field, count = mean_contribution(features(backbone), [good, torch.full_like(good, torch.nan)])
    assert count == 1
    assert torch.equal(field, mean_contribution(features(backbone), [good])[0])
    with pytest.raises(ValueError, match='images are none'):
        mean_contribution(features(backbone), [])


@pytest.fixture(scope='module')
def attended(want):
    """A scan of the golden model and its input."""
    state = from_official(golden.weights('vmamba_v2down_small'))
    backbone = VMamba(DOWN_V2).eval()
    core = {key.removeprefix('backbone.'): v for key, v in state.items()}
    missing, _ = backbone.load_state_dict(core, strict=False)
    assert all(key.startswith('out_norms') for key in missing)
    scan, inputs = backbone.stages[1][0].op, []
    with (
        torch.no_grad(),
        hooked(
            backbone,
            lambda module: module is scan,
            lambda name, module, args, out: inputs.append(args),
        ),
    ):
        backbone(want['att_img'])
    return scan, inputs[0][0][0]


@pytest.mark.parametrize('kind', ['CB', 'CwBw', 'ww'])
def test_published_attention_maps(attended, want, kind):
    maps = normalised(attention_maps(*attended, kind))
    assert set(maps) == {'a0', 'a1', 'a2', 'a3', 'all', 'nall'}
    for name, values in maps.items():
        assert golden.relative(values, want[f'att_{kind}_{name}']) < 1e-5, name


def test_published_row_of_a_query(attended, want):
    _, x = attended
    query = query_number((0.7, 0.3), *x.shape[:2])
    assert query == int(want['att_query_row'])


def test_the_last_kind_is_what_the_scan_does(attended):
    """Each row is that of the unrolled recurrence, which rebuilds the scan."""
    scan, x = attended
    maps = attention_maps(scan, x, list(KINDS)[-1])
    height, width = x.shape[:2]
    for query in ((0, 0), (3, 5), (height - 1, width - 1)):
        want = route_weights(scan, x, query).mean(-1).flatten(1)
        got = maps[:, query[0] * width + query[1]]
        assert golden.relative(got, want) < 1e-5, query


def test_unknown_kind(attended):
    with pytest.raises(ValueError, match=r"kind must be one of .* got 'BC'"):
        attention_maps(*attended, 'BC')
