# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What goes on inside a segmentor: recorded by forward hooks, the model as it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmseg_remamber.models.fusion import LocalText
from mmseg_remamber.models.fusion.attention import AttentionBlock
from mmseg_remamber.vmamba.layers import conv_nhwc, resize_nhwc
from mmseg_remamber.vmamba.ss2d import NUM_ROUTES, SS2D

Batch = dict[str, Tensor | list[BaseDataElement]]


@contextmanager
def hooked(model: nn.Module, kind: type[nn.Module], record: Callable) -> Iterator[None]:
    """Call ``record(name, module, args, kwargs, output)`` after each call of a module of a kind."""
    handles = []
    for name, module in model.named_modules():
        if isinstance(module, kind):

            def hook(module, args, kwargs, output, name=name):
                record(name, module, args, kwargs, output)

            handles.append(module.register_forward_hook(hook, with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def interaction_maps(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """How each place of each stage's map responds to each word (ReMamber, Fig. 4).

    Of a model with Twister fusion the similarity maps of :class:`LocalText`; with attention fusion
    the attention of each position over the words, mean of the heads, in each block.

    Args:
        model: a segmentor in evaluation mode.
        batch: what its data preprocessor gave.

    Returns:
        {name of the module: (B, h, w, T) float}, in the order of the stages.

    Raises:
        ValueError: for a model with neither.
    """
    maps = {}

    def record_similarity(name, module, args, kwargs, output):
        maps[name] = module.similarity(*args, **kwargs)

    def record_attention(name, module, args, kwargs, output):
        x, text, padding = args
        queries = module.norm(x).flatten(1, 2)
        _, weights = module.attention(queries, text, text, key_padding_mask=padding)
        maps[name] = weights.unflatten(1, x.shape[1:3])

    backbone = model.backbone
    with (
        hooked(backbone, LocalText, record_similarity),
        hooked(backbone, AttentionBlock, record_attention),
    ):
        model.extract_feat(batch['inputs'], batch['data_samples'])
    if not maps:
        raise ValueError(
            'the model has no interaction maps: its fusion has neither LocalText (TwisterFusion) '
            'nor attention (AttentionFusion)'
        )
    return maps


@torch.no_grad()
def twister_maps(model: nn.Module, batch: Batch) -> dict[str, dict[str, Tensor]]:
    """Each Twister's cube before the scans, after the channel scan and after the spatial scan.

    Args:
        model: a segmentor in evaluation mode, its scans 'channel-spatial'.
        batch: what its data preprocessor gave.

    Returns:
        {name of the module: {'before': (B, h, w, M), 'channel': (B, h, w, M),
        'spatial': (B, h, w, C)}}, float.

    Raises:
        ValueError: for a model without such Twisters.
    """
    maps: dict[str, dict[str, Tensor]] = {}

    def record(name, module, args, kwargs, output):
        # of all scans, only a channel-spatial Twister's spatial one is given a coarse map
        if kwargs.get('coarse') is not None:
            x, *texts = args
            cube = torch.cat((x, *(text.expand_as(x) for text in texts)), dim=-1)
            channel = cube + resize_nhwc(kwargs['coarse'], x.shape[1:3])
            twister = name.removesuffix('.spatial_scan')
            maps[twister] = dict(before=cube, channel=channel, spatial=output)

    with hooked(model.backbone, SS2D, record):
        model.extract_feat(batch['inputs'], batch['data_samples'])
    if not maps:
        raise ValueError("the model has no Twister with scans 'channel-spatial'")
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


@torch.no_grad()
def route_weights(scan: SS2D, x: Tensor, query: tuple[int, int]) -> Tensor:
    """What each position passes to a query along each route of a scan (VMamba, activation maps of
    a query patch).

    Unrolled, the recurrence is a sum over the positions s up to the query q in a route's order:
    ``y_q = sum_s C_q . (exp(A (t_q - t_s)) * B_s) d_s u_s + D u_q`` with the step sizes d and their
    running sum t. This gives the factor of ``u_s``.

    Args:
        scan: an SS2D.
        x: its input, (H, W, in_dim) float.
        query: row and column.

    Returns:
        (K, H, W, E) float32: routes row-major, column-major, and both reversed; 0 on positions that
        come after the query.
    """
    u = scan.in_proj(x[None])
    if scan.gated:
        u, _ = u.chunk(2, dim=-1)
    u = F.silu(conv_nhwc(scan.conv2d, u))[0].float()
    height, width, inner = u.shape
    projections = torch.einsum('hwe,kpe->khwp', u, scan.x_proj_weight.float())
    dt, b, c = projections.split([scan.rank, scan.state_dim, scan.state_dim], dim=-1)
    steps = torch.einsum('khwr,ker->khwe', dt, scan.dt_projs_weight.float())
    steps = F.softplus(steps + scan.dt_projs_bias.float()[:, None, None])
    a = -scan.A_logs.float().exp().unflatten(0, (NUM_ROUTES, inner))  # (K, E, N)
    row, column = query
    weights = []
    for route in range(NUM_ROUTES):
        order = torch.arange(height * width, device=u.device).view(height, width)
        if route % 2:
            order = order.t()
        order = order.flatten()
        if route >= 2:
            order = order.flip(0)
        place = int((order == row * width + column).nonzero())
        past = order[: place + 1]
        d = steps[route].flatten(0, 1)[past]  # (S, E)
        since = d.sum(0) - d.cumsum(0)
        decay = (since[..., None] * a[route]).exp()  # (S, E, N)
        gain = torch.einsum(
            'sen,sn,n->se', decay, b[route].flatten(0, 1)[past], c[route, row, column]
        )
        own = torch.zeros(height * width, inner, device=u.device)
        own[past] = gain * d
        weights.append(own.unflatten(0, (height, width)))
    return torch.stack(weights)
