"""Draws the automaton of a regular expression from its parse tree.

What can't be told exactly is drawn with more ways than there are, never with fewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from kube_log_watcher_scalyr.backtracking.automaton import ENDLESS, Automaton, Empty, Part
from kube_log_watcher_scalyr.backtracking.characters import Characters, parser
from kube_log_watcher_scalyr.backtracking.graphs import Steps

LONGEST_COPY = 200
"""States up to which a counted repeat is written out."""
WIDEST_COPY = 4
"""Difference between the counts up to which a repeat of several characters is written out."""
MANY = 32
"""A repeat with a wider difference between its counts is taken for an endless one."""

SINGLE = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY"})


def build(tree: Any, flags: int, steps: Steps) -> Automaton:
    """Draw an expression, or a part of one, from its parse tree.

    Raises
    ------
    TooComplicatedError
        when that takes too many steps.
    """
    builder = _Builder(Characters(tree, flags), steps)
    builder.automaton.whole = builder.sequence(tree)
    return builder.automaton


class _Builder:
    def __init__(self, characters: Characters, steps: Steps) -> None:
        self._characters = characters
        self._times = 1
        self._marked = -1
        self.automaton = Automaton(characters.all, steps)

    def sequence(self, items: Iterable[tuple[Any, Any]]) -> Part:
        whole = Part()
        for operation, value in items:
            whole = self._joined(whole, self._part(str(operation), value))
        return whole

    def _part(self, operation: str, value: Any) -> Part:
        match operation:
            case "SUBPATTERN":
                part = self.sequence(value[-1])
            case "BRANCH":
                part = _either([self.sequence(branch) for branch in value[1]])
            case "GROUPREF_EXISTS":
                part = _either([self.sequence(branch or ()) for branch in value[1:]])
            case "MAX_REPEAT" | "MIN_REPEAT":
                part = self._repeat(*value)
            case "GROUPREF":
                part = self._single(self._characters.all)
            case _ if operation in SINGLE:
                part = self._single(self._characters.taken_by(operation, value))
            case _:
                part = self._condition(operation, value)
        return part

    def _condition(self, operation: str, value: Any) -> Part:
        if operation in {"ASSERT", "ASSERT_NOT"}:
            self.automaton.conditions.append(value[1])
        return Part(empty=Empty.GUARDED)

    def _single(self, takes: int) -> Part:
        state = self.automaton.new_state(takes)
        return Part(empty=Empty.NEVER, empties=0, first=(state,), last=((state, Empty.FREELY),))

    def _joined(self, left: Part, right: Part) -> Part:
        self.automaton.connect((state for state, _ in left.last), right.first)
        through = tuple((state, min(clean, right.empty)) for state, clean in left.last)
        return Part(
            empty=min(left.empty, right.empty),
            empties=min(left.empties * right.empties, 2),
            first=left.first + right.first * left.empties,
            last=right.last + through * right.empties,
        )

    def _repeat(self, least: int, most: Any, body: Any) -> Part:
        if most == 0:
            return Part()
        self._times, times = min(self._times * most, ENDLESS), self._times
        if self._times > WIDEST_COPY:
            self.automaton.repeated[id(body)] = body
        part = self._copies(least, most, body) if _is_copied(least, most, body) else None
        part = part or self._rounds(least, most, body)
        self._times = times
        return part

    def _rounds(self, least: int, most: Any, body: Any) -> Part:
        ways = ENDLESS if most == parser.MAXREPEAT or most - least > MANY else int(most) - least + 1
        part = self._loop(self.sequence(body), ways)
        if part.empty and least > 1:
            # Any of the rounds that are a must can be the empty ones: that is a way each.
            part = self._loop(part, ways)
        if part.empty:
            # One more round, an empty one, is another way to end.
            part = attrs.evolve(part, last=part.last * 2)
        return _or_nothing(part) if least == 0 else part

    def _copies(self, least: int, most: int, body: Any) -> Part:
        """Write a repeat out: ``x{1,3}`` as ``x(?:x(?:x)?)?``."""
        tail = Part()
        for _ in range(most - least):
            start = len(self.automaton.takes)
            tail = self._optional(self._joined(self.sequence(body), tail), start)
        whole = Part()
        for _ in range(least):
            whole = self._joined(whole, self.sequence(body))
        return self._joined(whole, tail)

    def _optional(self, part: Part, start: int) -> Part:
        """Note the ways of an option, unless there are repeats or options within: those count."""
        if self._marked < start:
            ends = ((state, first) for state, _ in part.last for first in part.first)
            self.automaton.options |= dict.fromkeys(ends, 2)
            self._mark(part)
        return _or_nothing(part)

    def _loop(self, part: Part, ways: int) -> Part:
        added = self.automaton.connect((state for state, _ in part.last), part.first)
        self._mark(part)
        for edge in added:
            self.automaton.loops[edge] = max(ways, self.automaton.loops.get(edge, 0))
        return part

    def _mark(self, part: Part) -> None:
        self._marked = max(self._marked, *(state for state, _ in part.last), *part.first, -1)


def _is_copied(least: int, most: Any, body: Any) -> bool:
    if most == parser.MAXREPEAT or _size(body) * most > LONGEST_COPY:
        return False
    narrow = most - least <= WIDEST_COPY and not _is_single(body)
    return bool(narrow or most in {least, 1})


def _or_nothing(part: Part) -> Part:
    return attrs.evolve(part, empty=Empty.FREELY, empties=min(part.empties + 1, 2))


def _either(parts: list[Part]) -> Part:
    return Part(
        empty=max(part.empty for part in parts),
        empties=min(sum(part.empties for part in parts), 2),
        first=tuple(state for part in parts for state in part.first),
        last=tuple(state for part in parts for state in part.last),
    )


def _size(body: Any) -> int:
    """Count the states of an expression, roughly: what is repeated in it counts once or as written out."""
    size = 0
    for operation, value in body:
        match str(operation):
            case "SUBPATTERN":
                size += _size(value[-1])
            case "BRANCH":
                size += sum(_size(branch) for branch in value[1])
            case "MAX_REPEAT" | "MIN_REPEAT":
                count = 1 if value[1] == parser.MAXREPEAT else int(value[1])
                size += min(_size(value[2]) * count, LONGEST_COPY + 1)
            case _:
                size += 1
    return size


def _is_single(body: Any) -> bool:
    """Tell whether a repeat is one of a single character."""
    if len(body) != 1:
        return False
    operation, value = body[0]
    return str(operation) in SINGLE or (str(operation) == "SUBPATTERN" and _is_single(value[-1]))
