"""A regular expression as an automaton: its states are the expression's own characters."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping, Sequence

import attrs

from kube_log_watcher_backtracking.graphs import Steps

MOST_WAYS = 1 << 62
"""Ways are not counted beyond this."""


class Empty(enum.IntEnum):
    """Whether a part can match nothing: not at all, under a condition, or always."""

    NEVER = 0
    GUARDED = 1
    FREELY = 2


@attrs.frozen
class End:
    """How a part can end with one of its states."""

    ways: int
    """In how many ways, without reading any more."""
    clean: Empty = Empty.FREELY
    """Whether a condition must hold then."""


@attrs.frozen
class Part:
    """A piece of the automaton; as it stands here, one that matches nothing, in one way."""

    empty: Empty = Empty.FREELY
    empties: int = 1
    """In how many ways it can match nothing."""
    first: Mapping[int, int] = attrs.field(factory=dict)
    """States that it can begin with, and in how many ways each."""
    last: Mapping[int, End] = attrs.field(factory=dict)
    """States that it can end with."""

    def then(self, other: Part) -> Part:
        """Return what both are in a row, but for the edges between them."""
        through = {
            state: End(_bounded(end.ways * other.empties), min(end.clean, other.empty))
            for state, end in self.last.items()
            if other.empties
        }
        behind = {state: _bounded(ways * self.empties) for state, ways in other.first.items() if self.empties}
        return Part(
            empty=min(self.empty, other.empty),
            empties=_bounded(self.empties * other.empties),
            first=_merged([self.first, behind]),
            last=_merged_ends([other.last, through]),
        )

    def or_nothing(self) -> Part:
        """Return it with one more way to match nothing."""
        return attrs.evolve(self, empty=Empty.FREELY, empties=_bounded(self.empties + 1))

    def guarded(self) -> Part:
        """Return it with a condition behind it."""
        last = {
            state: attrs.evolve(end, clean=min(end.clean, Empty.GUARDED)) for state, end in self.last.items()
        }
        return attrs.evolve(self, empty=min(self.empty, Empty.GUARDED), last=last)

    def between_empty_rounds(self, least: int) -> Part:
        """Return it with what further rounds add that match nothing, when so many are a must.

        Each of those can be empty in all its ways; and one more, an empty one, is another way to end.
        """
        many = MOST_WAYS if (least - 1) * math.log2(self.empties) > math.log2(MOST_WAYS) else 0
        before = many or self.empties ** max(least - 1, 0)
        first = {state: _bounded(before * ways) for state, ways in self.first.items()}
        ends = {state: _bounded(2 * before * end.ways) for state, end in self.last.items()}
        last = {state: attrs.evolve(end, ways=ends[state]) for state, end in self.last.items()}
        return Part(self.empty, _bounded(2 * before * self.empties), first, last)


def either(parts: Sequence[Part]) -> Part:
    """Return what matches as one of the parts does."""
    return Part(
        empty=max(part.empty for part in parts),
        empties=_bounded(sum(part.empties for part in parts)),
        first=_merged(part.first for part in parts),
        last=_merged_ends(part.last for part in parts),
    )


@attrs.define
class Automaton:
    """States are numbers; ``takes`` holds the characters that lead into each."""

    steps: Steps
    takes: list[int] = attrs.field(factory=list)
    edges: dict[tuple[int, int], int] = attrs.field(factory=dict)
    """In how many ways an edge can be gone without reading anything between: ``(?:a?)?b`` has two to b."""
    rounds: dict[tuple[int, int], int] = attrs.field(factory=dict)
    """Edges that lead round in a repeat, and how often they can be gone in one match at most."""
    whole: Part = attrs.field(factory=Part)

    def new_state(self, takes: int) -> int:
        """Add a state that is entered with one of these characters."""
        self.steps.take(10)
        self.takes.append(takes)
        return len(self.takes) - 1

    def connect(self, left: Part, right: Part) -> list[tuple[int, int]]:
        """Add an edge from each end of a part to each beginning of another."""
        added = []
        for source, end in left.last.items():
            self.steps.take(len(right.first))
            for target, ways in right.first.items():
                edge = (source, target)
                self.edges[edge] = _bounded(self.edges.get(edge, 0) + end.ways * ways)
                added.append(edge)
        return added


def _bounded(ways: int) -> int:
    return min(ways, MOST_WAYS)


def _merged(sides: Iterable[Mapping[int, int]]) -> dict[int, int]:
    merged: dict[int, int] = {}
    for side in sides:
        for state, ways in side.items():
            merged[state] = _bounded(merged.get(state, 0) + ways)
    return merged


def _merged_ends(sides: Iterable[Mapping[int, End]]) -> dict[int, End]:
    merged: dict[int, End] = {}
    for side in sides:
        for state, end in side.items():
            other = merged.get(state)
            merged[state] = (
                end if other is None else End(_bounded(end.ways + other.ways), max(end.clean, other.clean))
            )
    return merged
