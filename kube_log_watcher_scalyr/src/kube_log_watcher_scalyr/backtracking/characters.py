"""Which characters a part of a regular expression takes, over a sample of all characters.

A set is an integer with a bit for each character of the sample: two sets overlap when ``a & b``.
"""

from __future__ import annotations

import functools
import importlib
import operator
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from kube_log_watcher_scalyr.backtracking.graphs import TooComplicatedError

# The one place that knows how Python understands an expression; it has no public name.
parser: Any = importlib.import_module("re._parser")

MOST_NAMED = 600

_ASCII = "".join(map(chr, range(128)))
_BEYOND = "\x85\xa0\u00e9\u0660\u2028\u4e2d"
"""One or two of each kind beyond ASCII: spaces, digits, letters."""


def _everything(_: str) -> bool:
    return True


_CATEGORIES: Final[dict[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_NOT_DIGIT": lambda character: not character.isdecimal(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda character: not character.isspace(),
    "CATEGORY_WORD": lambda character: character.isalnum() or character == "_",
    "CATEGORY_NOT_WORD": lambda character: not (character.isalnum() or character == "_"),
}


class Characters:
    """The sample for one expression: ASCII, some kinds beyond, and whatever the expression names."""

    def __init__(self, tree: Any, flags: int) -> None:
        flags |= _group_flags(tree)
        self._fold = bool(flags & re.IGNORECASE)
        named = {chr(code + step) for code in _codes(tree) for step in (-1, 0, 1) if code > 127}
        both = {other for one in named for other in (one, one.lower(), one.upper()) if len(other) == 1}
        if len(both) > MOST_NAMED:
            raise TooComplicatedError
        self._sample = _ASCII + "".join(sorted({*_BEYOND, *both}))
        self.all = self._mask(_everything)
        self._dot = self.all if flags & re.DOTALL else self.all & ~self._mask("\n".__contains__)

    def taken_by(self, operation: str, value: Any) -> int:
        """Give the set that a single-character operation takes."""
        if operation == "ANY":
            return self._dot
        if operation in {"LITERAL", "NOT_LITERAL"}:
            found = self._folded({chr(value)})
            return found if operation == "LITERAL" else self.all & ~found
        return self._listed(value)

    def _listed(self, items: Sequence[tuple[Any, Any]]) -> int:
        negated, found = False, 0
        for operation, value in items:
            match str(operation):
                case "NEGATE":
                    negated = True
                case "LITERAL":
                    found |= self._folded({chr(value)})
                case "RANGE":
                    low, high = value
                    found |= self._folded({one for one in self._sample if low <= ord(one) <= high})
                case _:
                    found |= self._mask(_CATEGORIES.get(str(value), _everything))
        return self.all & ~found if negated else found

    def _folded(self, characters: Iterable[str]) -> int:
        wanted = set(characters)
        if self._fold:
            wanted |= {other for one in wanted for other in (one.lower(), one.upper())}
        return self._mask(wanted.__contains__)

    def _mask(self, wanted: Callable[[str], bool]) -> int:
        return sum(1 << index for index, one in enumerate(self._sample) if wanted(one))


def _codes(tree: Any) -> set[int]:
    """Collect all numbers in an expression: among them its code points and the ends of its ranges."""
    return {item for item in walk(tree) if type(item) is int and 0 < item < sys.maxunicode}


def _group_flags(tree: Any) -> int:
    """Collect the flags that only hold for a part of an expression: ``(?i:...)``."""
    groups = (item for item in walk(tree) if isinstance(item, tuple) and str(item[0]) == "SUBPATTERN")
    return functools.reduce(operator.or_, (int(group[1][1]) for group in groups), 0)


def walk(tree: Any) -> Iterator[Any]:
    """Go through all parts of an expression's parse tree, in no particular order."""
    left = [tree]
    while left:
        item = left.pop()
        yield item
        if isinstance(item, tuple | list | parser.SubPattern):
            left.extend(item)
