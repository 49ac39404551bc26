# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The config that a checkpoint carries, read as data."""

import ast
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config


def config_of(checkpoint: Mapping[str, Any], path: str) -> Config:
    """The config in a checkpoint's ``meta``, where training and publishing put it.

    Args:
        checkpoint: what :func:`read_checkpoint` returns.
        path: where it comes from.

    Raises:
        ValueError: when there is none, or it is more than data.
    """
    text = checkpoint.get('meta', {}).get('cfg')
    if not isinstance(text, str):
        raise ValueError(
            f'checkpoint {path!r} has no config in it: give the config too, or put it in with '
            'tools/misc/publish_model.py --config'
        )
    return parse_config(text)


def parse_config(text: str) -> Config:
    """Read a config that mmengine printed (``Config.pretty_text``).

    mmengine's own reader runs the text as a program, which a file from elsewhere should not get.

    Args:
        text: assignments of literals and ``dict(...)`` to names.

    Raises:
        ValueError: for anything else in it, naming the line.
    """
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        raise ValueError(f'the config in the checkpoint is no Python: {error}') from error
    values = {}
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = _evaluate(value)
            case _:
                raise _not_data(statement)
    return Config(values)


def _evaluate(node: ast.expr) -> Any:
    match node:
        case ast.Call(func=ast.Name(id='dict'), args=[], keywords=keywords) if all(
            keyword.arg for keyword in keywords
        ):
            return {keyword.arg: _evaluate(keyword.value) for keyword in keywords}
        case ast.Call(func=ast.Name(id='dict'), args=[ast.Dict() as inner], keywords=[]):
            return _evaluate(inner)  # how mmengine prints keys that are no names
        case ast.Dict(keys=keys, values=values) if all(keys):
            pairs = zip(keys, values, strict=True)
            return {_evaluate(key): _evaluate(value) for key, value in pairs}
        case ast.List(elts=items):
            return [_evaluate(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_evaluate(item) for item in items)
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise _not_data(node) from error


def _not_data(node: ast.AST) -> ValueError:
    return ValueError(
        f'the config in the checkpoint is more than data at line {node.lineno}: '
        f'{ast.unparse(node)[:80]!r}'
    )
