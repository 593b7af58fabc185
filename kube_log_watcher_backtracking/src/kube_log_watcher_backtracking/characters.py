"""Which characters a part of a regular expression takes, over a sample of all characters.

A set is an integer with a bit for each character of the sample: two sets overlap when ``a & b``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from kube_log_watcher_backtracking.graphs import TooComplicatedError
from kube_log_watcher_backtracking.parsing import walk

MOST_NAMED = 600

_ASCII = "".join(map(chr, range(128)))
_BEYOND = "\x85\xa0\u00e9\u0660\u2028\u4e2d"
"""One or two of each kind beyond ASCII: spaces, digits, letters."""


def _everything(_: str) -> bool:
    return True


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


_CATEGORIES: Final[dict[str, Callable[[str], bool]]] = {
    "DIGIT": str.isdecimal,
    "SPACE": str.isspace,
    "WORD": _is_word,
}


class Characters:
    """The sample for one expression: ASCII, some kinds beyond, and whatever the expression names."""

    def __init__(self, tree: Any) -> None:
        named = {chr(code + step) for code in _codes(tree) for step in (-1, 0, 1) if code > 127}
        both = {other for one in named for other in _cases(one)}
        if len(both) > MOST_NAMED:
            raise TooComplicatedError
        self._sample = _ASCII + "".join(sorted({*_BEYOND, *both}))
        self._bits = {one: 1 << index for index, one in enumerate(self._sample)}
        self.all = self._mask(_everything)
        self._line = self.all & ~self._mask("\n".__contains__)

    def taken_by(self, operation: str, value: Any, flags: int) -> int:
        """Return the set that a single-character operation takes."""
        match operation:
            case "ANY":
                return self.all if flags & re.DOTALL else self._line
            case "LITERAL":
                return self._folded(chr(value), flags)
            case "NOT_LITERAL":
                return self.all & ~self._folded(chr(value), flags)
            case _:
                return self._listed(value, flags)

    def _listed(self, items: Sequence[tuple[Any, Any]], flags: int) -> int:
        negated, found = False, 0
        for operation, value in items:
            match str(operation):
                case "NEGATE":
                    negated = True
                case "LITERAL":
                    found |= self._folded(chr(value), flags)
                case "RANGE":
                    low, high = value
                    found |= self._folded((one for one in self._sample if low <= ord(one) <= high), flags)
                case _:
                    found |= self._category(str(value).removeprefix("CATEGORY_"), flags)
        return self.all & ~found if negated else found

    def _category(self, name: str, flags: int) -> int:
        wanted = _CATEGORIES.get(name.removeprefix("NOT_"))
        if wanted is None:
            return self.all
        found = self._mask(wanted)
        if flags & re.ASCII:
            found &= self._mask(str.isascii)
        return self.all & ~found if name.startswith("NOT_") else found

    def _folded(self, characters: Iterable[str], flags: int) -> int:
        wanted = set(characters)
        if flags & re.IGNORECASE:
            wanted |= {other for one in wanted for other in _cases(one)}
        return sum(self._bits.get(one, 0) for one in wanted)

    def _mask(self, wanted: Callable[[str], bool]) -> int:
        return sum(bit for one, bit in self._bits.items() if wanted(one))


def _cases(character: str) -> set[str]:
    """Return a character with its other cases, but those that are more than one character."""
    return {one for one in (character, character.lower(), character.upper()) if len(one) == 1}


def _codes(tree: Any) -> set[int]:
    """Return all numbers in an expression: among them its code points and the ends of its ranges."""
    return {item for item in walk(tree) if type(item) is int and 0 < item < sys.maxunicode}
