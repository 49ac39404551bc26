# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Overrides of a config as they are typed: KEY=VALUE."""

import argparse
import ast
from collections.abc import Sequence
from typing import Any


class Typed(str):
    """A value as it was typed, which means what the value in the config says it means."""

    __slots__ = ()

    def resolve(self, current: Any) -> Any:
        """The value meant.

        Text stays as it was typed where the config has text: a path keeps its blanks, commas and
        brackets. Elsewhere it is read as a Python literal (``2``, ``1e-4``, ``true``, ``None``,
        ``[1, 2]``, ``('a', 'b')``, ``dict`` braces), and is text where it is none.

        Args:
            current: the value that it takes the place of; None where there is none.

        Raises:
            ValueError: for brackets in the place of a list or dict that are no literal.
        """
        if isinstance(current, str):
            return str(self)
        if self.lower() in ('true', 'false'):
            return self.lower() == 'true'
        try:
            return ast.literal_eval(self.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            if isinstance(current, (list, tuple, dict)) and self[:1] in ('[', '(', '{'):
                raise ValueError(
                    f"{self!s} is no Python literal: words need quotes, as in ['a', 'b']"
                ) from error
            return str(self)


class CfgOptions(argparse.Action):
    """Collects ``KEY=VALUE`` arguments to {key: :class:`Typed`}, split at the first equals sign."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        options = dict(getattr(namespace, self.dest, None) or {})
        for text in values or ():
            key, equals, value = text.partition('=')
            if not equals or not key.strip():
                parser.error(f'{option_string} takes KEY=VALUE, got {text!r}')
            options[key.strip()] = Typed(value)
        setattr(namespace, self.dest, options)


def add_cfg_options(parser: argparse.ArgumentParser, help: str | None = None) -> None:
    """Add --cfg-options."""
    parser.add_argument(
        '--cfg-options', nargs='+', action=CfgOptions, metavar='KEY=VALUE',
        help=help or 'overrides, dotted keys: text as typed, or a Python literal',
    )  # fmt: skip
