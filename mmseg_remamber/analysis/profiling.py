# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Where a run of a segmentor spends its time: each operator call, with its module and bytes."""

import bisect
import re
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .cost import flop_counter

PHASES = ('forward', 'backward', 'update')

#: Part of a segmentor -> named levels of its modules that are told apart.
DEPTHS = dict(text_encoder=1, backbone=3, decode_head=2)

#: Kind of operator -> names of operators, without their library.
KINDS = {
    'linear': r'mm|addmm|bmm|baddbmm|linear|_?linear_pointwise|mkldnn_linear',
    'convolution': r'.*convolution.*',
    'attention': r'_scaled_dot_product.*',
    'norm': r'(native|cudnn|fused)?_?(layer|batch|group)_norm.*',
    'activation': r'(gelu|silu|relu|threshold|hard(swish|sigmoid)|sigmoid|softplus|_softmax).*',
    'resize': r'_?upsample.*',
    'copy': r'clone|copy_|_to_copy|cat|stack|flip|constant_pad_nd|index.*|embedding.*|slice.*'
    r'|select.*|.*_scatter|fill_?|zero_?|zeros.*|ones.*|full.*|new_zeros|split_with_sizes_copy',
    'elementwise and sums': r'.*',
}

# What writes nothing; whose first argument is overwritten without being read; and of which only
# what is asked for is read.
ALLOCATES = re.compile(r'(new_)?empty.*')
OVERWRITES = re.compile(r'copy_|fill_|zero_')
GATHERS = re.compile(r'embedding|index|index_select|gather')


class Call(NamedTuple):
    """One call of one operator; bytes are those of the tensors that it takes and makes."""

    operator: str  # 'aten.addmm'
    kind: str  # a key of KINDS, 'depthwise convolution', 'scan' or 'views'
    module: str  # dotted name, '' outside the submodules
    phase: str  # one of PHASES
    seconds: float
    flops: int
    read: int
    written: int


class CallRecorder(TorchDispatchMode):
    """Records the operator calls within it, with the modules that make them.

    A call in a backward pass belongs to the module whose forward made its node of the graph. Time
    is the operator's own, without Python between them. On CUDA it is that of the device, which
    sleeps while each call is queued, so that no kernel waits for its launch.

    Args:
        model: whose modules are told apart.
        device: where it runs.
    """

    #: longer than Python takes to queue an operator; about half a millisecond
    SLEEP_CYCLES = 1_000_000

    def __init__(self, model: nn.Module, device: torch.device):
        super().__init__()
        self.model, self.device = model, device
        self.calls: list[Call] = []
        self._modules: list[str] = []
        # from which node of the graph on, by its number, which module makes them
        self._numbers, self._owners = [0], ['']
        self._hooks, self._clocks = [], []
        self._after_backward = False
        self._formulas = flop_counter().flop_registry

    def __enter__(self) -> 'CallRecorder':
        for name, module in self.model.named_modules():
            self._hooks += [
                module.register_forward_pre_hook(partial(self._start, name)),
                # checkpointing leaves a recomputed module by an exception
                module.register_forward_hook(self._stop, always_call=True),
            ]
        return super().__enter__()

    def __exit__(self, *exception) -> None:
        super().__exit__(*exception)
        for hook in self._hooks:
            hook.remove()
        if self._clocks:
            torch.cuda.synchronize(self.device)
            self.calls = [
                call._replace(seconds=start.elapsed_time(end) / 1e3)
                for call, (start, end) in zip(self.calls, self._clocks, strict=True)
            ]

    def _start(self, name: str, *_) -> None:
        self._modules.append(name)
        self._mark(name)

    def _stop(self, *_) -> None:
        self._modules.pop()
        self._mark(self._modules[-1] if self._modules else '')

    def _mark(self, name: str) -> None:
        self._numbers.append(torch._C._autograd._get_sequence_nr())
        self._owners.append(name)

    def _module(self) -> str:
        if self._modules:
            return self._modules[-1]
        node = torch._C._current_autograd_node()
        if node is None:
            return ''
        return self._owners[bisect.bisect_right(self._numbers, node._sequence_nr()) - 1]

    def _phase(self) -> str:
        if torch._C._current_graph_task_id() != -1:
            self._after_backward = True
            return 'backward'
        return 'update' if self._after_backward else 'forward'

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out, seconds = self._timed(func, args, kwargs)
        read, written = moved_bytes(func, args, kwargs, out)
        count = self._formulas.get(func.overloadpacket)
        self.calls.append(
            Call(
                operator=str(func.overloadpacket),
                kind=kind_of(func, args) if read or written else 'views',
                module=self._module(),
                phase=self._phase(),
                seconds=seconds,
                flops=count(*args, **kwargs, out_val=out) if count else 0,
                read=read,
                written=written,
            )
        )
        return out

    def _timed(self, func, args, kwargs) -> tuple[object, float]:
        if self.device.type == 'cuda':
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda._sleep(self.SLEEP_CYCLES)
            start.record()
            out = func(*args, **kwargs)
            end.record()
            self._clocks.append((start, end))
            return out, 0.0
        start = time.perf_counter()
        out = func(*args, **kwargs)
        return out, time.perf_counter() - start


def kind_of(func: torch._ops.OpOverload, args: tuple) -> str:
    """Which kind of work an operator does."""
    library, name = func.overloadpacket._qualified_op_name.split('::')
    if library == 'selective_scan':
        return 'scan'
    kind = next(kind for kind, names in KINDS.items() if re.fullmatch(names, name))
    if kind == 'convolution':
        weight = args[2 if name == 'convolution_backward' else 1]
        if len(weight) > 1 == weight.shape[1]:
            return 'depthwise convolution'
    return kind


def moved_bytes(func: torch._ops.OpOverload, args: tuple, kwargs: dict, out) -> tuple[int, int]:
    """Bytes that an operator reads and writes, each tensor once. A view moves none."""
    schema, name = func._schema, func.overloadpacket.__name__
    if ALLOCATES.fullmatch(name):
        return 0, 0
    names = [argument.name for argument in schema.arguments]
    given = dict(zip(names, args, strict=False)) | kwargs
    read = written = 0
    storages = set()
    for argument in schema.arguments:
        mutated = argument.alias_info is not None and argument.alias_info.is_write
        for tensor in tensors_of(given.get(argument.name)):
            storages.add(tensor.untyped_storage()._cdata)
            written += mutated * num_bytes(tensor)
            read += 0 if mutated and OVERWRITES.fullmatch(name) else num_bytes(tensor)
    results = tensors_of(out)
    new = [t for t in results if t.untyped_storage()._cdata not in storages]
    if not new and not written:
        return 0, 0
    made = sum(map(num_bytes, new))
    if GATHERS.fullmatch(name):
        read = min(read, made + sum(map(num_bytes, tensors_of(args[1:]))))
    return read, written + made


def tensors_of(value: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def num_bytes(tensor: Tensor) -> int:
    """Of its elements; those that an expanded tensor repeats count once."""
    count = tensor.element_size()
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        count *= size if stride or not size else 1
    return count


def record_calls(
    model: nn.Module, run: Callable[[], object], device: torch.device, *, rounds: int = 3
) -> list[Call]:
    """The operator calls of a run, each with the median of its times over the rounds.

    Raises:
        RuntimeError: when the rounds do not make the same calls.
    """
    run()
    passes = []
    for _ in range(rounds):
        with CallRecorder(model, device) as recorder:
            run()
        passes.append(recorder.calls)
    if len({tuple(call[:4] for call in calls) for calls in passes}) > 1:
        raise RuntimeError(f'runs differ: {[len(calls) for calls in passes]} operator calls')
    return [
        calls[0]._replace(seconds=statistics.median(call.seconds for call in calls))
        for calls in zip(*passes, strict=True)
    ]


def part_of(call: Call) -> str:
    """The part of the model that a call belongs to: its module, cut to :data:`DEPTHS` levels.

    A number belongs to the name before it: ``backbone.fusions.1.local_text`` has three levels.
    """
    if call.phase == 'update':
        return 'update of the weights'
    part, levels, numbered = [], 0, False
    for name in call.module.split('.'):
        if name.isdigit():
            if numbered:
                break
            numbered = True
        elif levels == DEPTHS.get(call.module.split('.')[0], 1):
            break
        else:
            levels, numbered = levels + 1, False
        part.append(name)
    return '.'.join(part) or 'outside: resize of the logits, losses'


@dataclass
class Cost:
    """What calls cost together, and the least that they could at a machine's rates.

    ``floor`` is the sum, over the calls, of the longer of two times: that of its floating-point
    operations at the rate of a matrix product, and that of its bytes at the rate of a copy.
    """

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    flops: int = 0
    read: int = 0
    written: int = 0
    flops_floor: float = 0.0
    bytes_floor: float = 0.0
    floor: float = 0.0

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def costs_by(
    key: Callable[[Call], str], calls: Iterable[Call], flop_rate: float, byte_rate: float
) -> dict[str, Cost]:
    """Costs of the calls in groups.

    Args:
        key: the group of a call.
        calls: as of :func:`record_calls`.
        flop_rate: operations a second.
        byte_rate: bytes a second, read and written together.
    """
    costs: dict[str, Cost] = {}
    for call in calls:
        cost = costs.setdefault(key(call), Cost())
        floors = call.flops / flop_rate, (call.read + call.written) / byte_rate
        cost.seconds[call.phase] += call.seconds
        cost.flops += call.flops
        cost.read += call.read
        cost.written += call.written
        cost.flops_floor += floors[0]
        cost.bytes_floor += floors[1]
        cost.floor += max(floors)
    return costs
