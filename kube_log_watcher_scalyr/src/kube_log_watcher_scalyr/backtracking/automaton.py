"""A regular expression as an automaton: its states are the expression's own characters.

Two edges between the same states stand for two ways of getting there without reading anything,
as in ``(a*)*``.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs

from kube_log_watcher_scalyr.backtracking.graphs import Steps

ENDLESS = 1 << 16
"""Ways of an unbounded repeat, and of one that might as well be."""


class Empty(enum.IntEnum):
    """Whether a part can match nothing: not at all, under a condition, or always."""

    NEVER = 0
    GUARDED = 1
    FREELY = 2


@attrs.frozen
class Part:
    """A piece of the automaton."""

    empty: Empty = Empty.FREELY
    empties: int = 1
    """In how many ways it can match nothing: none, one, or more, which count as two."""
    first: tuple[int, ...] = ()
    """States that it can begin with: twice, where there are more ways to one."""
    last: tuple[tuple[int, Empty], ...] = ()
    """States that it can end with, and whether a condition must hold then."""


@attrs.define
class Automaton:
    """States are numbers; ``takes`` holds the characters that lead into each."""

    anything: int
    """All characters."""
    steps: Steps
    takes: list[int] = attrs.field(factory=list)
    edges: Counter[tuple[int, int]] = attrs.field(factory=Counter)
    loops: dict[tuple[int, int], int] = attrs.field(factory=dict)
    """Edges of counted repeats, and how many ways they stand for at most."""
    options: dict[tuple[int, int], int] = attrs.field(factory=dict)
    """Edges that aren't there: something optional, drawn as a repeat, to count its ways."""
    repeated: dict[int, Any] = attrs.field(factory=dict)
    """Expressions that are repeated often enough for two ways of matching them to matter, each once."""
    whole: Part = attrs.field(factory=Part)
    conditions: list[Any] = attrs.field(factory=list)
    """Expressions that are looked ahead or back for."""

    def new_state(self, takes: int) -> int:
        """Add a state that is entered with one of these characters."""
        self.steps.take()
        self.takes.append(takes)
        return len(self.takes) - 1

    def connect(self, sources: Iterable[int], targets: tuple[int, ...]) -> list[tuple[int, int]]:
        """Add an edge from each source to each target."""
        added = []
        for source in sources:
            self.steps.take(len(targets))
            added += [(source, target) for target in targets]
        self.edges.update(added)
        return added
