# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Operations, parameters, time and memory of segmentors."""

import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from math import prod

import selective_scan.flops  # noqa: F401  registers the scan's formulas
import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import (
    FlopCounterMode,
    conv_flop_count,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

from mmseg_remamber.apis.query import Query
from mmseg_remamber.models.build import build_on_meta

from .memory import peak_memory
from .timing import measure_latency
from .workload import inference


def _attention_flops(query, key, value, *args, out_shape=None, **kwargs) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward_flops(dy, query, key, value, *args, out_shape=None, **kwargs) -> int:
    return sdpa_backward_flop_count(dy, query, key, value)


def _linear_flops(x, weight, *args, out_shape=None, **kwargs) -> int:
    return 2 * prod(x) * weight[0]


def _convolution_backward_flops(
    dy, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups, mask,
    *, out_shape=None,
) -> int:  # fmt: skip
    """As of the forward for each gradient asked for, that of x and that of the weight."""
    return (mask[0] + mask[1]) * conv_flop_count(x, weight, dy, transposed)


#: What torch does not count, attention and oneDNN's linear layers on a CPU, and what it counts too
#: high, the backward of a grouped convolution: as if each channel met all others.
FORMULAS = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward_flops,
    torch.ops.aten.convolution_backward: _convolution_backward_flops,
}
if torch.backends.mkldnn.is_available():
    FORMULAS[torch.ops.mkldnn._linear_pointwise] = _linear_flops


def flop_counter() -> FlopCounterMode:
    """torch's counter, with :data:`FORMULAS` and those of the scan."""
    return FlopCounterMode(display=False, custom_mapping=FORMULAS)


def random_inputs(
    model: nn.Module, size: tuple[int, int], batch: int, device: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Arguments of :meth:`ReferringSegmentor.logits`: noise and a sentence of full length."""
    img = torch.randn(batch, 3, *size, device=device)
    sentence = model.text_encoder.longest_sentence(Query(model).num_tokens)
    token_ids = sentence.to(device).repeat(batch, 1)
    return img, token_ids, torch.ones_like(token_ids, dtype=torch.bool)


def count_pass(forward: Callable[[Tensor], object], img: Tensor) -> int:
    """Operations of one forward pass of any model, by the rules of :func:`count_flops`.

    Args:
        forward: takes the images.
        img: (B, 3, H, W) float; it and the model may be on the meta device.
    """
    with torch.no_grad(), flop_counter() as counter:
        forward(img)
    return counter.get_total_flops()


def count_flops(cfg: Config, size: tuple[int, int]) -> dict[str, dict[str, dict[str, int]]]:
    """Floating-point operations of one image and sentence, by module and by operator.

    torch's FlopCounterMode counts: a multiply-add is two operations; matrix products, convolutions
    and attention are counted, and the scan as its recurrence is written
    (``selective_scan.flops``); norms, activations, resizes and sums are not.

    Args:
        cfg: config of a segmentor.
        size: height and width of the input.

    Returns:
        ``{module: {operator: operations}}`` with the module's dotted name, '' for the whole.
    """
    model = build_on_meta(cfg)
    # fake tensors, because transformers would look at the values of a plain meta mask
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device('meta'), torch.no_grad():
        inputs = random_inputs(model, size, 1, 'meta')
        with flop_counter() as counter:
            model.logits(*inputs)
    # logits is no forward: the root of the counter's names is each child's class
    children = {type(child).__name__: name for name, child in model.named_children()}
    counts = {}
    for name, operators in counter.get_flop_counts().items():
        head, *rest = name.split('.')
        if name == 'Global':
            counts[''] = operators
        elif head in children:
            counts['.'.join((children[head], *rest))] = operators
    # a module that is only a list of others has no call of its own: the sum of its children
    for name, module in reversed(list(model.named_modules())):
        if name not in counts:
            total = Counter()
            for child, _ in module.named_children():
                total.update(counts[f'{name}.{child}'])
            counts[name] = total
    return {
        name: {str(operator): value for operator, value in operators.items()}
        for name, operators in counts.items()
    }


def count_training_flops(cfg: Config, size: tuple[int, int]) -> int:
    """As :func:`count_flops`, of a forward and backward pass together; losses are not counted."""
    model = build_on_meta(cfg).train()
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device('meta'):
        inputs = random_inputs(model, size, 1, 'meta')
        with flop_counter() as counter:
            model.logits(*inputs).sum().backward()
    return counter.get_total_flops()


def measure_costs(
    models: Mapping[str, nn.Module],
    size: tuple[int, int],
    *,
    batch: int = 1,
    warmup: int = 2,
    repeats: int = 10,
    dtype: str = 'float32',
) -> dict[str, dict[str, float | int | list[int]]]:
    """Time and memory of inference on noise, of several models side by side.

    Args:
        models: segmentors in evaluation mode by name, all on one device.
        size: height and width of the input.
        batch: images, each with a sentence, in a run.
        warmup: runs that are not timed.
        repeats: runs that are.
        dtype: as of :func:`~.workload.inference`.

    Returns:
        Of each model: size; batch; latency_ms, the median over runs, with its quartiles
        latency_ms_q1 and _q3; throughput, images a second by the median; peak_memory_mb, 10^6
        bytes beside weights and input.
    """
    device = next(next(iter(models.values())).parameters()).device
    runs = {
        name: inference(model, random_inputs(model, size, batch, str(device)), dtype)
        for name, model in models.items()
    }
    costs = {}
    for name, times in measure_latency(runs, device, warmup=warmup, repeats=repeats).items():
        median = statistics.median(times)
        first, _, third = statistics.quantiles(times, n=4) if repeats > 1 else times * 3
        costs[name] = dict(
            size=list(size),
            batch=batch,
            latency_ms=median,
            latency_ms_q1=first,
            latency_ms_q3=third,
            throughput=1e3 * batch / median,
            peak_memory_mb=peak_memory(runs[name], device) / 1e6,
        )
    return costs
