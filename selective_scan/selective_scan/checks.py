# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a selective scan accepts, in one place for the wrappers, the fakes and the reference.

The kernels hold the same rules in `csrc/checks.h`, with the same messages.
"""

import torch
from torch import Tensor

ROUTES = 4  # of a map: row by row, column by column, and the reverse of each
LOW_DTYPES = (torch.float32, torch.float16, torch.bfloat16)
FLOAT_DTYPES = (torch.float64, *LOW_DTYPES)


def state_dtype(u: Tensor) -> torch.dtype:
    """The type of the state, A, D, dt_weight and delta_bias: float64 for float64, else float32."""
    return torch.float64 if u.dtype == torch.float64 else torch.float32


def name(dtype: torch.dtype) -> str:
    """The type's name in messages, as `float32`."""
    return str(dtype).removeprefix('torch.')


def either(dtypes: tuple[torch.dtype, ...]) -> str:
    """The types' names, as `float32 or float16`."""
    return ' or '.join(map(name, dtypes))


def check_tensors(required: dict[str, object], optional: dict[str, object]) -> None:
    """Raise unless every argument is a dense tensor, or None where it is optional.

    Raises:
        TypeError: an argument is no tensor; the message names it.
        RuntimeError: a tensor is sparse or otherwise not dense; the message names it.
    """
    present = {arg: value for arg, value in optional.items() if value is not None}
    for arg, value in (required | present).items():
        if not isinstance(value, Tensor):
            raise TypeError(f'{arg} must be a tensor, got {type(value).__name__}')
        if value.layout != torch.strided:
            raise RuntimeError(f'{arg} must be a dense tensor, got layout {value.layout}')


def check_dtypes(main_arg: str, main: Tensor, others: dict[str, Tensor]) -> None:
    """Raise RuntimeError, naming it, unless the main input and those beside it may be scanned.

    The kernels check the same, but torch's stable ABI stops some types on the way to them.
    """
    # Plain raises: torch.compile traces this function, and takes no message that reads a tensor.
    if main.dtype not in FLOAT_DTYPES:
        raise RuntimeError(_of_main_dtype(main_arg, main))
    allowed = _input_dtypes(main)
    for arg, tensor in others.items():
        if tensor.dtype not in allowed:
            raise RuntimeError(_of_dtype(arg, tensor, allowed, main_arg, main))


def out_dtype_or(out_dtype: torch.dtype | None, main: Tensor) -> torch.dtype:
    """`out_dtype`, or the type of the main input; TypeError for what is no type."""
    if out_dtype is None:
        return main.dtype
    if not isinstance(out_dtype, torch.dtype):
        raise TypeError(f'out_dtype must be a torch.dtype or None, got {type(out_dtype).__name__}')
    return out_dtype


def as_state(arg: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A parameter in the state's type; RuntimeError, naming it, unless it is floating point."""
    if not tensor.is_floating_point():
        raise RuntimeError(f'{arg} must be floating point, got {name(tensor.dtype)}')
    return tensor.to(dtype)


def check_inputs(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
    out_dtype: torch.dtype,
) -> None:
    """Raise RuntimeError, naming the argument, unless the arguments fit together.

    Args:
        u, delta: (B, G*D, L).
        A: (G*D, N) in the state's type.
        B, C: (B, G, N, L).
        D, delta_bias: (G*D,) in the state's type, or None.
        out_dtype: the type of the result.
    """
    check = torch._check
    check(u.dim() == 3, lambda: f'u must be (batch, channels, length), got {u.dim()} dimensions')
    check(A.dim() == 2, lambda: f'A must be (channels, state), got {A.dim()} dimensions')
    check(
        B.dim() == 4, lambda: f'B must be (batch, groups, state, length), got {B.dim()} dimensions'
    )
    for size, what in zip(u.shape, ('batch', 'channels', 'length'), strict=True):
        check(size > 0, lambda what=what: f'u must not be empty, got {what} 0')
    check(A.shape[1] > 0, lambda: 'A must not be empty, got state 0')
    check(B.shape[1] > 0, lambda: 'B must not be empty, got groups 0')

    batch, channels, length = u.shape
    state, groups = A.shape[1], B.shape[1]
    check(
        channels % groups == 0,
        lambda: (
            f'u must have channels that groups divide, got {channels} channels, {groups} groups'
        ),
    )
    _check_main_dtype('u', u)
    inputs = _input_dtypes(u)
    weights = (state_dtype(u),)
    _check_tensor('delta', delta, (batch, channels, length), inputs, 'u', u)
    _check_tensor('A', A, (channels, state), weights, 'u', u)
    _check_tensor('B', B, (batch, groups, state, length), inputs, 'u', u)
    _check_tensor('C', C, (batch, groups, state, length), inputs, 'u', u)
    if D is not None:
        _check_tensor('D', D, (channels,), weights, 'u', u)
    if delta_bias is not None:
        _check_tensor('delta_bias', delta_bias, (channels,), weights, 'u', u)
    _check_out_dtype(out_dtype, 'u', u)


def check_map_inputs(
    x: Tensor,
    projections: Tensor,
    dt_weight: Tensor,
    A: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
    out_dtype: torch.dtype,
) -> None:
    """Raise RuntimeError, naming the argument, unless the arguments of `ss2d_scan` fit together.

    Args:
        x: (B, H, W, E).
        projections: (B, H, W, K, R + 2N).
        dt_weight: (K, E, R) in the state's type.
        A: (K*E, N) in the state's type.
        D, delta_bias: (K*E,) in the state's type, or None.
        out_dtype: the type of the result.
    """
    check = torch._check
    check(
        x.dim() == 4,
        lambda: f'x must be (batch, height, width, channels), got {x.dim()} dimensions',
    )
    check(
        dt_weight.dim() == 3,
        lambda: f'dt_weight must be (routes, channels, rank), got {dt_weight.dim()} dimensions',
    )
    check(A.dim() == 2, lambda: f'A must be (routes * channels, state), got {A.dim()} dimensions')
    for size, what in zip(x.shape, ('batch', 'height', 'width', 'channels'), strict=True):
        check(size > 0, lambda what=what: f'x must not be empty, got {what} 0')
    check(dt_weight.shape[2] > 0, lambda: 'dt_weight must not be empty, got rank 0')
    check(A.shape[1] > 0, lambda: 'A must not be empty, got state 0')

    batch, height, width, channels = x.shape
    rank, state, rows = dt_weight.shape[2], A.shape[1], ROUTES * channels
    _check_main_dtype('x', x)
    inputs = _input_dtypes(x)
    weights = (state_dtype(x),)
    projected = (batch, height, width, ROUTES, rank + 2 * state)
    _check_tensor('projections', projections, projected, inputs, 'x', x)
    _check_tensor('dt_weight', dt_weight, (ROUTES, channels, rank), weights, 'x', x)
    _check_tensor('A', A, (rows, state), weights, 'x', x)
    if D is not None:
        _check_tensor('D', D, (rows,), weights, 'x', x)
    if delta_bias is not None:
        _check_tensor('delta_bias', delta_bias, (rows,), weights, 'x', x)
    _check_out_dtype(out_dtype, 'x', x)


def _input_dtypes(main: Tensor) -> tuple[torch.dtype, ...]:
    """The types that inputs may have beside the main one, u or x."""
    return (torch.float64,) if main.dtype == torch.float64 else LOW_DTYPES


def _check_main_dtype(main_arg: str, main: Tensor) -> None:
    torch._check(main.dtype in FLOAT_DTYPES, lambda: _of_main_dtype(main_arg, main))


def _of_main_dtype(main_arg: str, main: Tensor) -> str:
    return f'{main_arg} must be float64, float32, float16 or bfloat16, got {name(main.dtype)}'


def _of_dtype(
    arg: str, tensor: Tensor, allowed: tuple[torch.dtype, ...], main_arg: str, main: Tensor
) -> str:
    return (
        f'{arg} must be {either(allowed)} for {name(main.dtype)} {main_arg}, '
        f'got {name(tensor.dtype)}'
    )


def _out_dtypes(main: Tensor) -> tuple[torch.dtype, ...]:
    return tuple(dict.fromkeys((main.dtype, state_dtype(main))))


def _check_out_dtype(out_dtype: torch.dtype, main_arg: str, main: Tensor) -> None:
    torch._check(out_dtype in _out_dtypes(main), lambda: _of_out_dtype(out_dtype, main_arg, main))


def _of_out_dtype(out_dtype: torch.dtype, main_arg: str, main: Tensor) -> str:
    return (
        f'out_dtype must be {either(_out_dtypes(main))} for {name(main.dtype)} {main_arg}, '
        f'got {name(out_dtype)}'
    )


def _check_tensor(
    arg: str,
    tensor: Tensor,
    shape: tuple[int, ...],
    allowed: tuple[torch.dtype, ...],
    main_arg: str,
    main: Tensor,
) -> None:
    torch._check(
        tensor.dim() == len(shape)
        and all(a == b for a, b in zip(tensor.shape, shape, strict=True)),
        lambda: f'{arg} must have shape {list(shape)}, got {list(tensor.shape)}',
    )
    torch._check(
        tensor.device == main.device,
        lambda: f'{arg} must be on the device of {main_arg}, {main.device}, got {tensor.device}',
    )
    torch._check(tensor.dtype in allowed, lambda: _of_dtype(arg, tensor, allowed, main_arg, main))


def check_gradients(
    u: Tensor, dy: Tensor, dlast: Tensor | None, states: Tensor, chunk: int
) -> None:
    """Raise RuntimeError, naming the argument, unless what backward is given fits u.

    Args:
        u: (B, G*D, L), checked already.
        dy: (B, G*D, L), of a type that `out_dtype` may have.
        dlast: (B, G*D, N) in the state's type, or None.
        states: (B, G*D, ceil(L / chunk) + 1, N) in the state's type.
        chunk: steps from one kept state to the next.
    """
    dtype, state = state_dtype(u), states.shape[-1]
    chunks = (u.shape[2] + chunk - 1) // chunk
    expected = {
        'dy': (dy, tuple(u.shape), (u.dtype, dtype)),
        'states': (states, (*u.shape[:2], chunks + 1, state), (dtype,)),
        'dlast': (dlast, (*u.shape[:2], state), (dtype,)),
    }
    for arg, (tensor, shape, allowed) in expected.items():
        if tensor is not None:
            _check_tensor(arg, tensor, shape, allowed, 'u', u)


def check_map_gradients(x: Tensor, dy: Tensor, states: Tensor, chunk: int) -> None:
    """Raise RuntimeError, naming the argument, unless what `ss2d_scan`'s backward is given fits x.

    Args:
        x: (B, H, W, E), checked already.
        dy: (B, H, W, E), of a type that `out_dtype` may have.
        states: (B, K, ceil(H*W / chunk) + 1, N, E) in the state's type.
        chunk: steps of a route from one kept state to the next.
    """
    batch, height, width, channels = x.shape
    chunks = (height * width + chunk - 1) // chunk
    dtype, state = state_dtype(x), states.shape[-2]
    _check_tensor('dy', dy, tuple(x.shape), (x.dtype, dtype), 'x', x)
    kept = (batch, ROUTES, chunks + 1, state, channels)
    _check_tensor('states', states, kept, (dtype,), 'x', x)


def check_gate(u: Tensor, z: Tensor | None, out_dtype: torch.dtype) -> None:
    """Raise RuntimeError unless the gate z is None or has the shape and device of u.

    With a gate the kernel's result is in the state's type, so that it cannot check `out_dtype`.
    """
    # Plain raises: torch.compile traces this function, and takes no message that reads a tensor.
    if z is None:
        return
    if u.dim() != 3:
        raise RuntimeError(f'u must be (batch, channels, length), got {u.dim()} dimensions')
    if z.shape != u.shape:
        raise RuntimeError(f'z must have shape {list(u.shape)}, got {list(z.shape)}')
    if z.device != u.device:
        raise RuntimeError(f'z must be on the device of u, {u.device}, got {z.device}')
    if not z.is_floating_point():
        raise RuntimeError(f'z must be floating point, got {name(z.dtype)}')
    if out_dtype not in _out_dtypes(u):
        raise RuntimeError(_of_out_dtype(out_dtype, 'u', u))
