r"""Refuses regular expressions that could keep the Scalyr agent busy for ages with one line.

Python tries one way of matching after the other, and rules run on every line in the thread that copies
all logs. Refused are expressions

- with a repeat that can match one text in several ways: ``(a+)+``, ``(.|\w)*``, ``(\w+\s?)*``. The number
  of ways doubles with every few characters;
- with more than `MOST_SPLITS` places where one unbounded repeat can hand over to the next anywhere in a
  text: ``.*.*.*=``, ``\s*\s*\s*;``. Each multiplies the time by the length of the line. The search for a
  place to begin at counts as a repeat, unless the expression starts with ``^``; a repeat at the very end
  doesn't count, it can't fail;
- with many optional parts in a row that can take each other's place: ``a?`` twenty times;
- that can't be judged within `MOST_STEPS` steps.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Any

import attrs

from kube_log_watcher_scalyr.backtracking.ambiguity import Reading
from kube_log_watcher_scalyr.backtracking.automaton import ENDLESS, Automaton, Empty
from kube_log_watcher_scalyr.backtracking.characters import parser
from kube_log_watcher_scalyr.backtracking.drawing import build
from kube_log_watcher_scalyr.backtracking.graphs import (
    Followers,
    Steps,
    TooComplicatedError,
    followers_of,
    loops,
    reached,
)

MOST_SPLITS = 2
MOST_DOUBLINGS = 13
MOST_STEPS = 50_000

AMBIGUOUS = "a repeat in it can match one text in several ways, which can take ages"
CROWDED = "too many repeats in it can match each other's text, which can take ages"
COMPLICATED = "it is too complicated to tell whether it can take ages"


@functools.lru_cache(maxsize=1000)
def danger(text: str) -> str | None:
    """Say why an expression could take ages to match; None when it can't. It must be one that compiles."""
    tree = parser.parse(text)
    flags: int = tree.state.flags
    try:
        return _danger(tree, flags, Steps(MOST_STEPS), anchored=_is_anchored(tree, flags))
    except TooComplicatedError:
        return COMPLICATED


def _danger(tree: Any, flags: int, steps: Steps, *, anchored: bool) -> str | None:
    automaton = build(tree, flags, steps)
    endless = ([("MAX_REPEAT", (0, parser.MAXREPEAT, body))] for body in automaton.repeated.values())
    drawn = (build(tree, flags, steps) for tree in endless)
    if any(_is_ambiguous(each, steps) for each in (automaton, *drawn)):
        return AMBIGUOUS
    if _is_crowded(automaton, steps, anchored=anchored):
        return CROWDED
    conditions = (_danger(tree, flags, steps, anchored=True) for tree in automaton.conditions)
    return next(filter(None, conditions), None)


def _is_anchored(tree: Any, flags: int) -> bool:
    """Tell whether an expression can only match from the start of a text."""
    if not tree:
        return False
    operation, value = tree[0]
    if str(operation) == "SUBPATTERN":
        return _is_anchored(value[-1], flags)
    if str(operation) != "AT":
        return False
    return str(value) == "AT_BEGINNING_STRING" or (str(value) == "AT_BEGINNING" and not flags & re.MULTILINE)


def _is_ambiguous(automaton: Automaton, steps: Steps) -> bool:
    followers = followers_of(automaton.edges)
    reading = Reading(automaton.takes, followers, steps)
    doubled = [edge for edge, number in automaton.edges.items() if number > 1]
    for loop in loops(followers, steps):
        if any(loop.issuperset(edge) for edge in doubled) or reading.is_ambiguous(loop):
            return True
    return False


@attrs.frozen
class _Repeat:
    """States that lead round."""

    states: frozenset[int]
    rounds: int
    """How often they can, at most."""
    leads_to: frozenset[int]


@attrs.frozen
class _Crowd:
    """How many ways there are of reading a text up to some repeat: ``length ** splits * 2 ** doublings``."""

    splits: int = 0
    doublings: float = 0.0

    def beyond(self, rounds: int) -> _Crowd:
        """Add a place where one repeat can hand over to another; the shorter of the two counts."""
        if rounds >= ENDLESS:
            return attrs.evolve(self, splits=self.splits + 1)
        return attrs.evolve(self, doublings=self.doublings + math.log2(rounds))

    def or_worse(self, other: _Crowd) -> _Crowd:
        """Take the worse of two, in each respect."""
        return _Crowd(max(self.splits, other.splits), max(self.doublings, other.doublings))


def _is_crowded(automaton: Automaton, steps: Steps, *, anchored: bool) -> bool:
    """Tell whether too many repeats, one after the other, can match each other's text."""
    if automaton.whole.empty is Empty.FREELY:
        return False
    takes, edges = _search(automaton, anchored=anchored)
    followers = followers_of(edges)
    reading = Reading(takes, followers, steps)
    crowds: dict[_Repeat, _Crowd] = {}
    for repeat in _repeats(edges, followers, steps):
        crowd = _Crowd()
        for earlier, before in crowds.items():
            if earlier.leads_to.isdisjoint(repeat.states):
                continue
            crowd = crowd.or_worse(before)
            if reading.hands_over(earlier.states, repeat.states):
                crowd = crowd.or_worse(before.beyond(min(earlier.rounds, repeat.rounds)))
        if crowd.splits > MOST_SPLITS or crowd.doublings > MOST_DOUBLINGS:
            return True
        crowds[repeat] = crowd
    return False


def _search(automaton: Automaton, *, anchored: bool) -> tuple[list[int], dict[tuple[int, int], int]]:
    """Give the states, and all edges with how often they can be gone, of a search with an expression.

    A state in which the expression has matched leads nowhere. Unless it is anchored, a repeat of
    anything comes first.
    """
    done = {state for state, clean in automaton.whole.last if clean is Empty.FREELY}
    edges = {**dict.fromkeys(automaton.edges, 1), **automaton.options, **automaton.loops}
    edges = {edge: rounds for edge, rounds in edges.items() if edge[0] not in done}
    takes = list(automaton.takes)
    if not anchored:
        start = len(takes)
        takes.append(automaton.anything)
        edges |= {(start, first): 1 for first in automaton.whole.first}
        edges[start, start] = ENDLESS
    return takes, edges


def _repeats(edges: dict[tuple[int, int], int], followers: Followers, steps: Steps) -> list[_Repeat]:
    found = loops(followers, steps)
    home = {state: number for number, loop in enumerate(found) for state in loop}
    most = [1] * len(found)
    for (source, target), rounds in edges.items():
        number = home.get(source)
        if number is not None and number == home.get(target):
            most[number] = max(most[number], rounds)
    return [
        _Repeat(loop, rounds, frozenset(reached(loop, lambda state: followers.get(state, ()), steps)))
        for loop, rounds in zip(found, most, strict=True)
    ]
