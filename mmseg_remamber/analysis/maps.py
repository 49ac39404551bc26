# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What goes on inside a segmentor: recorded by forward hooks, the model as it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmseg_remamber import fast

Batch = dict[str, Tensor | list[BaseDataElement]]


@contextmanager
def hooked(
    model: nn.Module, chosen: Callable[[nn.Module], bool], record: Callable
) -> Iterator[None]:
    """Call ``record(name, module, args, output)`` after each call of the chosen modules.

    The model runs in its plain forms within the context, so that every module is called, with
    whole maps.
    """
    handles = []
    for name, module in model.named_modules():
        if chosen(module):

            def hook(module, args, output, name=name):
                record(name, module, args, output)

            handles.append(module.register_forward_hook(hook))
    try:
        with fast.disabled():
            yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def interaction_maps(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """How each place of each stage's map responds to each word (ReMamber, Fig. 4).

    A module of a fusion that can tell has a method ``word_maps``, which takes the arguments of its
    ``forward`` and returns (B, h, w, T).

    Args:
        model: a segmentor in evaluation mode.
        batch: what its data preprocessor gave.

    Returns:
        {name of the module: (B, h, w, T) float}, in the order of the stages.

    Raises:
        ValueError: for a model whose backbone has no such module.
    """
    maps = {}

    def record(name, module, args, output):
        maps[name] = module.word_maps(*args)

    with hooked(model.backbone, lambda module: hasattr(module, 'word_maps'), record):
        model.extract_feat(batch['inputs'], batch['data_samples'])
    if not maps:
        raise ValueError(
            'the model has no interaction maps: no module of its backbone has word_maps'
        )
    return maps


@torch.no_grad()
def step_maps(model: nn.Module, batch: Batch) -> dict[str, dict[str, Tensor]]:
    """What the fusions of a backbone make on the way, step by step.

    A module of a fusion that can tell has a method ``steps``, which takes the arguments of its
    ``forward`` and returns maps (B, h, w, C) by name, in order.

    Args:
        model: a segmentor in evaluation mode.
        batch: what its data preprocessor gave.

    Returns:
        {name of the module: {name of the step: (B, h, w, C) float}}.

    Raises:
        ValueError: for a model whose backbone has no such module, or from a module whose options
            leave nothing to show.
    """
    maps: dict[str, dict[str, Tensor]] = {}

    def record(name, module, args, output):
        maps[name] = module.steps(*args)

    with hooked(model.backbone, lambda module: hasattr(module, 'steps'), record):
        model.extract_feat(batch['inputs'], batch['data_samples'])
    if not maps:
        raise ValueError('the model has no steps to show: no module of its backbone has steps')
    return maps


def principal_components(features: Tensor, num: int = 3) -> tuple[Tensor, Tensor]:
    """Project features on their first principal components.

    Args:
        features: (h, w, C) float, C at least ``num``.
        num: how many components.

    Returns:
        Scores (h, w, num) float, each component's sign such that its largest score is positive;
        and the share of variance of each, (num,) float.
    """
    rows = features.flatten(0, 1).double()
    rows = rows - rows.mean(0)
    left, sizes, _ = torch.linalg.svd(rows, full_matrices=False)
    scores = left[:, :num] * sizes[:num]
    largest = scores.gather(0, scores.abs().argmax(0, keepdim=True))
    scores = scores * torch.where(largest < 0, -1.0, 1.0)
    share = sizes[:num].square() / sizes.square().sum().clamp(min=1e-30)
    return scores.unflatten(0, features.shape[:2]).float(), share.float()


def receptive_field(model: nn.Module, batch: Batch) -> list[Tensor]:
    """How strongly each input pixel moves the centre of each stage's map (VMamba, Fig. on effective
    receptive fields; Luo et al., "Understanding the Effective Receptive Field", NeurIPS 2016).

    Args:
        model: a segmentor in evaluation mode.
        batch: what its data preprocessor gave.

    Returns:
        For each stage (H, W) float: the absolute gradient of the sum over channels of the centre,
        summed over colours and meant over the batch.
    """
    samples = batch['data_samples']
    img = batch['inputs'].detach().requires_grad_()
    fields = []
    stages = model.extract_feat(img, samples)
    for number, stage in enumerate(stages, start=1):
        centre = stage[:, :, stage.shape[2] // 2, stage.shape[3] // 2]
        (gradient,) = torch.autograd.grad(centre.sum(), img, retain_graph=number < len(stages))
        fields.append(gradient.abs().sum(1).mean(0))
    return fields


def area_of(field: Tensor, share: float) -> float:
    """The smallest part of the pixels that holds ``share`` of a field's sum, in [0, 1]."""
    values = field.flatten().double().sort(descending=True).values
    reached = values.cumsum(0) >= share * values.sum()
    return (int(reached.int().argmax()) + 1) / len(values)
