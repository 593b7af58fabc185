r"""Draws the automaton of a regular expression from its parse tree.

What can't be told exactly is drawn with more ways than there are, never with fewer: a back-reference as a
copy of its group, an atomic group and a possessive repeat as ordinary ones, conditions (``\b``, ``$``) as
if they could always hold. A lookahead is a path that leads nowhere: how it matches is forgotten when it
has, and what it costs is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import attrs

from kube_log_watcher_backtracking.automaton import Automaton, Empty, End, Part, either
from kube_log_watcher_backtracking.characters import Characters
from kube_log_watcher_backtracking.graphs import Steps
from kube_log_watcher_backtracking.parsing import ENDLESS

LONGEST_COPY = 200
"""States up to which a counted repeat is written out."""
LONGEST_ROW = 16
"""Up to this count the repeat of a single character is written out."""
MOST_ROUNDS = 1 << 62

SINGLE = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY"})
REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


def draw(tree: Any, flags: int, steps: Steps) -> Automaton:
    """Return an expression's automaton.

    Raises
    ------
    TooComplicatedError
        when that takes too many steps.
    """
    drawing = _Drawing(Characters(tree), Automaton(steps))
    drawing.automaton.whole = drawing.sequence(tree, flags)
    return drawing.automaton


@attrs.frozen
class _Drawing:
    characters: Characters
    automaton: Automaton
    groups: dict[int, tuple[Any, int]] = attrs.field(factory=dict)
    """The numbered groups so far, each with the flags that hold in it."""

    def sequence(self, items: Iterable[tuple[Any, Any]], flags: int) -> Part:
        whole = Part()
        for operation, value in items:
            whole = self._joined(whole, self._part(str(operation), value, flags))
        return whole

    def _part(self, operation: str, value: Any, flags: int) -> Part:
        match operation:
            case "SUBPATTERN":
                part = self._group(value, flags)
            case "ATOMIC_GROUP":
                part = self.sequence(value, flags)
            case "BRANCH":
                part = either([self.sequence(branch, flags) for branch in value[1]])
            case "GROUPREF_EXISTS":
                part = _conditional([self.sequence(branch or (), flags) for branch in value[1:]])
            case "GROUPREF":
                part = self._again(*self.groups[value], flags)
            case "ASSERT" | "ASSERT_NOT":
                part = self._looked_for(value[1], flags, ahead=value[0] > 0)
            case _ if operation in REPEATS:
                part = self._repeat(value, flags)
            case _ if operation in SINGLE:
                part = self._single(self.characters.taken_by(operation, value, flags))
            case _:
                part = Part(empty=Empty.GUARDED)
        return part

    def _group(self, value: Any, flags: int) -> Part:
        number, added, removed, body = value
        flags = (flags | added) & ~removed
        if number is not None:
            self.groups[number] = body, flags
        return self.sequence(body, flags)

    def _again(self, body: Any, defined: int, flags: int) -> Part:
        """Draw what a group has matched once more."""
        before = len(self.automaton.takes)
        part = self.sequence(body, defined)
        if (flags & ~defined) & re.IGNORECASE:
            self._take_anything(before)
        # It is one text of those that the group can match: it can end nowhere else.
        return part.guarded()

    def _take_anything(self, since: int) -> None:
        """Let all states that were added since then be entered with any character."""
        for state in range(since, len(self.automaton.takes)):
            self.automaton.takes[state] = self.characters.all

    def _looked_for(self, body: Any, flags: int, *, ahead: bool) -> Part:
        """Draw what is looked ahead or back for: beginnings without an end."""
        before = len(self.automaton.takes)
        part = self.sequence(body, flags)
        if part.empties > 1 or any(end.ways > 1 for end in part.last.values()):
            # Each way to its end is tried while a condition there fails: count them as ways to something.
            part = self._joined(part, self._single(self.characters.all))
        if not ahead:
            # It reads what was read already, and not what comes next: that can be anything.
            self._take_anything(before)
        return Part(empty=Empty.GUARDED, first=part.first)

    def _single(self, takes: int) -> Part:
        state = self.automaton.new_state(takes)
        return Part(empty=Empty.NEVER, empties=0, first={state: 1}, last={state: End(1)})

    def _joined(self, left: Part, right: Part) -> Part:
        self.automaton.connect(left, right)
        self.automaton.steps.take(len(left.first) + len(left.last))
        return left.then(right)

    def _repeat(self, value: Any, flags: int) -> Part:
        least, most, body = value
        if most == 0:
            return Part()
        if _is_copied(least, most, body):
            return self._copies(least, most, body, flags)
        return self._rounds(least, most, body, flags)

    def _copies(self, least: int, most: int, body: Any, flags: int) -> Part:
        """Write a repeat out: ``x{1,3}`` as ``x(?:x(?:x)?)?``."""
        tail = Part()
        for _ in range(most - least):
            tail = self._joined(self.sequence(body, flags), tail).or_nothing()
        whole = Part()
        for _ in range(least):
            whole = self._joined(whole, self.sequence(body, flags))
        return self._joined(whole, tail)

    def _rounds(self, least: int, most: Any, body: Any, flags: int) -> Part:
        part = self.sequence(body, flags)
        rounds = MOST_ROUNDS if most == ENDLESS else int(most) - least + 1
        # Where a round can be empty, any of those that are a must can be the empty ones: that is a way each.
        for _ in range(2 if part.empty and least > 1 else 1):
            for edge in self.automaton.connect(part, part):
                self.automaton.rounds[edge] = max(rounds, self.automaton.rounds.get(edge, 0))
        if part.empty:
            part = part.between_empty_rounds(least)
        return part.or_nothing() if least == 0 else part


def _conditional(parts: list[Part]) -> Part:
    """Draw what matches as one of the parts does, which can't be chosen freely."""
    part = either(parts)
    return part if len({one.empty for one in parts}) == 1 else attrs.evolve(part, empty=Empty.GUARDED)


def _is_copied(least: int, most: Any, body: Any) -> bool:
    if most == ENDLESS:
        return False
    if most == 1:
        return True
    if _is_single(body):
        return bool(least == most <= LONGEST_ROW)
    return bool(_size(body) * most <= LONGEST_COPY)


def _size(body: Any) -> int:
    """Return how many states an expression is drawn with, roughly."""
    size = 0
    for operation, value in body:
        match str(operation):
            case "SUBPATTERN":
                size += _size(value[-1])
            case "ATOMIC_GROUP":
                size += _size(value)
            case "ASSERT" | "ASSERT_NOT":
                size += _size(value[1])
            case "BRANCH":
                size += sum(_size(branch) for branch in value[1])
            case "GROUPREF_EXISTS":
                size += sum(_size(branch or ()) for branch in value[1:])
            case name if name in REPEATS:
                least, most, inner = value
                size += _size(inner) * (int(most) if _is_copied(least, most, inner) else 1)
            case _:
                size += 1
    return size


def _is_single(body: Any) -> bool:
    """Whether a repeat is one of a single character."""
    if len(body) != 1:
        return False
    operation, value = body[0]
    return str(operation) in SINGLE or (str(operation) == "SUBPATTERN" and _is_single(value[-1]))
