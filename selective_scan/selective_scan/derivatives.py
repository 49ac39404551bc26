# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""How torch differentiates and vectorises the compiled ops: what `torch.library` has no word for.

The rules stand at the dispatcher, so that all who call an op meet them: eager code, the transforms
of `torch.func`, compiled graphs and exported programs. `torch.library.register_autograd` knows
neither forward mode, whose tangents it drops without a word, nor `torch.func`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor
from torch._functorch.utils import enable_single_level_autograd_function
from torch.autograd.forward_ad import _set_fwd_grad_enabled, unpack_dual
from torch.autograd.function import _SingleLevelFunction

_library = torch.library.Library('selective_scan', 'IMPL')  # what it registers lives as long


class Modes(NamedTuple):
    """Whether derivatives are asked for where an op is called."""

    reverse: bool
    forward: bool


@contextmanager
def _restored(modes: Modes) -> Iterator[None]:
    """For levels of `torch.func` outside the present one, as a function has both switched off."""
    with torch.set_grad_enabled(modes.reverse), _set_fwd_grad_enabled(modes.forward):
        yield


def register(
    name: str,
    *,
    setup_context: Callable[..., None],
    backward: Callable[..., tuple[Tensor | None, ...]],
    jvp: Callable[..., tuple[Tensor | None, ...]],
) -> None:
    """Register the derivatives of the op `name`, and `torch.vmap` of it, one element at a time.

    Args:
        name: that of the op in `torch.ops.selective_scan`.
        setup_context: `(ctx, inputs, outputs)`, keeps on `ctx` what the others read.
        backward: `(ctx, *gradients)` of the outputs -> gradients of the inputs.
        jvp: `(inputs, tangents)` of them -> tangents of the outputs. A tangent that is zero is
            None, and that of an output marked as not differentiable must be.
    """
    op = getattr(torch.ops.selective_scan, name).default
    # Tensors, of which some may be None, come before other arguments.
    tensors = sum('Tensor' in str(argument.type) for argument in op._schema.arguments)
    below_autograd = torch._C._after_autograd_keyset

    # torch peels the transforms of torch.func off one at a time before it comes here, so that this
    # function sees one level alone. `torch.autograd.Function` would ask for all of them once more.
    class Function(_SingleLevelFunction):
        @staticmethod
        def forward(
            ctx: Any, keys: torch._C.DispatchKeySet, modes: Modes | None, *args: Any
        ) -> tuple[Tensor, ...]:
            with torch._C._AutoDispatchBelowAutograd():
                if modes is None:
                    outputs = op.redispatch(keys & below_autograd, *args)
                else:
                    with _restored(modes):
                        outputs = op.redispatch(keys & below_autograd, *args)
            ctx.set_materialize_grads(False)
            ctx.modes = modes
            ctx.save_for_forward(*args[:tensors])
            ctx.options = args[tensors:]
            setup_context(ctx, args, outputs)
            return outputs

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
            return (None, None, *backward(ctx, *gradients))

        @staticmethod
        def jvp(ctx: Any, *tangents: Tensor | None) -> tuple[Tensor | None, ...]:
            # Level 0 is the only one that torch has; a traced graph does not know the current one.
            primals = (
                None if tensor is None else unpack_dual(tensor, level=0).primal
                for tensor in ctx.saved_tensors
            )
            inputs = (*primals, *ctx.options)
            if ctx.modes is None:
                return jvp(inputs, tangents[2:])
            with _restored(ctx.modes):
                return jvp(inputs, tangents[2:])

    Function.__name__ = Function.__qualname__ = name

    def differentiable(keys: torch._C.DispatchKeySet, *args: Any) -> tuple[Tensor, ...]:
        if not torch._C._are_functorch_transforms_active():
            return Function.apply(keys, None, *args)  # type: ignore[attr-defined]
        modes = Modes(torch.is_grad_enabled(), torch._C._is_fwd_grad_enabled())
        with enable_single_level_autograd_function():
            return Function.apply(keys, modes, *args)  # type: ignore[attr-defined]

    def one_at_a_time(
        info: Any, in_dims: tuple[int | None, ...], *args: Any
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        results = [
            op(
                *(
                    arg if dim is None else arg.select(dim, i)
                    for arg, dim in zip(args, in_dims, strict=True)
                )
            )
            for i in range(info.batch_size)
        ]
        outputs = tuple(torch.stack(values) for values in zip(*results, strict=True))
        return outputs, (0,) * len(outputs)

    _library.impl(name, differentiable, 'Autograd', with_keyset=True)
    torch.library.register_vmap(f'selective_scan::{name}', one_at_a_time, lib=_library)


def register_last(name: str, of: str) -> None:
    """Register that the op `name`, which computes gradients of `of`, has no derivatives itself."""

    def refuse(*_: object) -> NoReturn:
        raise NotImplementedError(
            f'{of} can be differentiated in reverse once only, and its gradients not at all; for '
            'second derivatives begin with forward mode: torch.func.jacrev(torch.func.jacfwd(f))'
        )

    def keep_nothing(ctx: Any, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        pass

    register(name, setup_context=keep_nothing, backward=refuse, jvp=refuse)
