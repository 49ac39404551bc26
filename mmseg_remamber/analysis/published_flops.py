# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""FLOPs by the rules of VMamba's tables, to compare with published figures.

A multiply-add counts once. A layer norm counts 5 an element, a batch norm 2, a bilinear resize 4 an
element of its output and a nearest one 1, average pooling 1 an element of its input; activations,
sums, exponentials and the laying out of routes count nothing. Our own count,
:func:`.cost.count_flops`, has other rules.
"""

from collections.abc import Callable
from functools import partial
from math import prod

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten
#: Operations of a scan's recurrence for each state and step: of all newer tables, and of the
#: sequential reference, by which the figures of the first release were counted.
SCAN_RULES = {'prefix-sum': 9.0, 'naive': 3.5}


def count_published_flops(
    model: nn.Module, forward: Callable[[Tensor], object], img: Tensor, *, scan: str = 'prefix-sum'
) -> int:
    """FLOPs of one forward pass.

    Args:
        model: what ``forward`` runs, in evaluation mode; it may be on the meta device.
        forward: takes the images.
        img: (B, 3, H, W) float.
        scan: a key of :data:`SCAN_RULES`.

    Raises:
        ValueError: for another rule, or a model in training mode.
    """
    if scan not in SCAN_RULES:
        raise ValueError(f'scan must be one of {sorted(SCAN_RULES)}, got {scan!r}')
    if model.training:
        raise ValueError('model must be in evaluation mode: call model.eval()')
    # torch counts a multiply-add of products and convolutions twice, and so do these, until the end
    formulas = {
        aten.native_layer_norm: _of_input(10),
        aten.native_batch_norm: _of_input(4),
        aten._native_batch_norm_legit_no_training: _of_input(4),
        aten.mean: _of_input(2),  # average pooling to one position
        aten._adaptive_avg_pool2d: _of_input(2),
        aten.upsample_bilinear2d: _of_output(8),
        aten.upsample_nearest2d: _of_output(2),
        aten.upsample_nearest2d.default: _of_output(2),  # or torch takes it apart first
        torch.ops.selective_scan.ss2d_forward: _scan(SCAN_RULES[scan]),
    }
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        forward(img)
    return round(counter.get_total_flops() / 2)


def published_pass(model: nn.Module) -> Callable[[Tensor], object]:
    """The forward pass that the tables count.

    A classifier's with its head; a segmentor's without auxiliary head and last resize; of Mask
    R-CNN's RoI heads those of as many proposals and masks as its test settings allow.

    Raises:
        ValueError: for a model of another kind.
    """
    if hasattr(model, 'extract_feat') and hasattr(model, 'decode_head'):
        return lambda img: model.decode_head(model.extract_feat(img))
    if hasattr(model, 'rpn_head') and hasattr(model, 'roi_head'):
        return partial(_detect, model)
    if hasattr(model, 'backbone') and hasattr(model, 'head'):
        return model
    raise ValueError(
        'the tables of classifiers, segmentors and Mask R-CNN are counted, got a '
        f'{type(model).__name__}'
    )


def _detect(model: nn.Module, img: Tensor) -> None:
    model.rpn_head(model.extract_feat(img))
    heads = model.roi_head
    for head, extractor, number in (
        (heads.bbox_head, heads.bbox_roi_extractor, model.test_cfg.rpn.max_per_img),
        (heads.mask_head, heads.mask_roi_extractor, model.test_cfg.rcnn.max_per_img),
    ):
        side = extractor.roi_layers[0].output_size
        # what is pooled for them; pooling itself counts nothing
        head(img.new_empty(number, extractor.out_channels, *side))


def _of_input(each: int) -> Callable[..., int]:
    return lambda x, *args, out_shape=None, **options: each * prod(x)


def _of_output(each: int) -> Callable[..., int]:
    return lambda *args, out_shape=None, **options: each * prod(out_shape)


def _scan(of_state: float) -> Callable[..., float]:
    def count(x, projections, dt_weight, A, *args, out_shape=None, **options) -> float:
        routes, _, rank = dt_weight
        steps, states = prod(x) * routes, A[1]
        to_step = 2 * steps * rank
        rounded = 0.0
        if states > 1:
            # the vanilla family's projections were counted as numpy prints them
            to_all = 2 * steps * (rank + 2 * states)
            rounded = sum(float(f'{n:.3e}') - n for n in (to_all, to_step))
        return 2 * (of_state * steps * states + steps) + to_step + rounded

    return count
