"""How Python itself understands a regular expression: its parse tree, for which `re` has no public name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, Final

_parser: Any = importlib.import_module("re._parser")

ENDLESS: Final[Any] = _parser.MAXREPEAT
"""The most repetitions of ``*``, ``+`` and ``{3,}``."""


def parse(expression: str, flags: int = 0) -> Any:
    """Return the parse tree of an expression: a sequence of operations, each with its value.

    An operation is a named integer, ``str(operation)`` gives its name: ``LITERAL``, ``MAX_REPEAT``.

    Raises
    ------
    re.error, ValueError, OverflowError, RecursionError
        where `re.compile` does.
    """
    return _parser.parse(expression, flags)


def walk(tree: Any) -> Iterator[Any]:
    """Yield all parts of a parse tree, in no particular order."""
    left = [tree]
    while left:
        item = left.pop()
        yield item
        if isinstance(item, tuple | list | _parser.SubPattern):
            left.extend(item)
