"""A regular expression as an automaton: its states are the expression's own characters.

Two edges between the same states stand for two ways of getting there without reading anything,
as in ``(a*)*``. What can't be told exactly is drawn with more ways than there are, never with fewer.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs

from kube_log_watcher_scalyr.characters import Characters, parser

MOST_STATES = 3000
LONGEST_COPY = 200
"""States up to which a counted repeat is written out."""
WIDEST_COPY = 4
"""Difference between the counts up to which a repeat of several characters is written out."""
ENDLESS = 1 << 16
"""Ways of an unbounded repeat, and of one that might as well be."""
MANY = 32

SINGLE = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY", "RANGE", "CATEGORY"})


class TooComplicatedError(Exception):
    """An expression needs more steps to be checked than its check may take."""


class Empty(enum.IntEnum):
    """Whether a part can match nothing: not at all, under a condition, or always."""

    NEVER = 0
    GUARDED = 1
    FREELY = 2


@attrs.frozen
class Part:
    """A piece of the automaton."""

    empty: Empty = Empty.FREELY
    first: tuple[int, ...] = ()
    last: tuple[tuple[int, Empty], ...] = ()
    """States that it can end with, and whether a condition must hold then."""


@attrs.define
class Automaton:
    """States are numbers; ``takes`` holds the characters that lead into each."""

    takes: list[int] = attrs.field(factory=list)
    edges: Counter[tuple[int, int]] = attrs.field(factory=Counter)
    loops: dict[tuple[int, int], int] = attrs.field(factory=dict)
    """Edges of counted repeats, and how many ways they stand for at most."""
    options: dict[tuple[int, int], int] = attrs.field(factory=dict)
    """Edges that aren't there: something optional, drawn as a repeat, to count its ways."""
    whole: Part = attrs.field(factory=Part)
    conditions: list[Any] = attrs.field(factory=list)
    """Expressions that are looked ahead or back for."""

    def new_state(self, takes: int) -> int:
        """Add a state that is entered with one of these characters."""
        if len(self.takes) >= MOST_STATES:
            raise TooComplicatedError
        self.takes.append(takes)
        return len(self.takes) - 1

    def connect(self, sources: Iterable[int], targets: tuple[int, ...]) -> list[tuple[int, int]]:
        """Add an edge from each source to each target."""
        added = [(source, target) for source in sources for target in targets]
        self.edges.update(added)
        if len(self.edges) > 20 * MOST_STATES:
            raise TooComplicatedError
        return added


def build(tree: Any, flags: int) -> Automaton:
    """Draw an expression, or the expression of a condition, from its parse tree."""
    builder = _Builder(Characters(tree, flags))
    builder.automaton.whole = builder.sequence(tree)
    return builder.automaton


class _Builder:
    def __init__(self, characters: Characters) -> None:
        self._characters = characters
        self.automaton = Automaton()

    def sequence(self, items: Iterable[tuple[Any, Any]]) -> Part:
        whole = Part()
        for operation, value in items:
            whole = self._joined(whole, self._part(str(operation), value))
        return whole

    def _part(self, operation: str, value: Any) -> Part:
        if operation in SINGLE:
            return self._single(self._characters.taken_by(operation, value))
        match operation:
            case "SUBPATTERN":
                return self.sequence(value[-1])
            case "BRANCH":
                return _either([self.sequence(branch) for branch in value[1]])
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeat(*value)
            case "GROUPREF":
                return self._single(self._characters.all)
            case "GROUPREF_EXISTS":
                return _either([self.sequence(branch or ()) for branch in value[1:]])
            case "ASSERT" | "ASSERT_NOT":
                self.automaton.conditions.append(value[1])
        return Part(empty=Empty.GUARDED)

    def _single(self, takes: int) -> Part:
        state = self.automaton.new_state(takes)
        return Part(empty=Empty.NEVER, first=(state,), last=((state, Empty.FREELY),))

    def _joined(self, left: Part, right: Part) -> Part:
        self.automaton.connect((state for state, _ in left.last), right.first)
        through = tuple((state, min(clean, right.empty)) for state, clean in left.last if right.empty)
        return Part(
            empty=min(left.empty, right.empty),
            first=left.first + (right.first if left.empty else ()),
            last=right.last + through,
        )

    def _repeat(self, least: int, most: Any, body: Any) -> Part:
        endless = most == parser.MAXREPEAT
        size, single = _size(body), _is_single(body)
        if most == 0:
            return Part()
        if not endless and size * most <= LONGEST_COPY:
            if least == most or (most - least <= WIDEST_COPY and not (single and most > 1)):
                return self._copies(least, int(most), body)
        ways = ENDLESS if endless or most - least > MANY else int(most) - least + 1
        part = self._loop(self.sequence(body), ways)
        if part.empty and least > 1:
            # Any of the rounds that are a must can be the empty ones: that is a way each.
            part = self._loop(part, ways)
        return attrs.evolve(part, empty=Empty.FREELY) if least == 0 else part

    def _copies(self, least: int, most: int, body: Any) -> Part:
        """Write a repeat out: ``x{1,3}`` as ``x(?:x(?:x)?)?``."""
        tail = Part()
        for _ in range(most - least):
            tail = self._optional(self._joined(self.sequence(body), tail))
        whole = Part()
        for _ in range(least):
            whole = self._joined(whole, self.sequence(body))
        return self._joined(whole, tail)

    def _optional(self, part: Part) -> Part:
        for state, _ in part.last:
            for first in part.first:
                self.automaton.options.setdefault((state, first), 2)
        return attrs.evolve(part, empty=Empty.FREELY)

    def _loop(self, part: Part, ways: int) -> Part:
        added = self.automaton.connect((state for state, _ in part.last), part.first)
        for edge in added:
            self.automaton.loops[edge] = max(ways, self.automaton.loops.get(edge, 0))
        return part


def _either(parts: list[Part]) -> Part:
    return Part(
        empty=max(part.empty for part in parts),
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
