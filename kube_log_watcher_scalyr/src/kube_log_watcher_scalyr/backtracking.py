r"""Refuses regular expressions that could keep the Scalyr agent busy for ages with one line.

Python tries one way of matching after the other, and rules run on every line in the thread that copies
all logs. Refused are expressions

- with a repeat that can match one text in several ways: ``(a+)+``, ``(a|a)*``, ``(\w+\s?)*``. The number
  of ways doubles with every few characters;
- with more than `MOST_SPLITS` places where one unbounded repeat can hand over to the next at any point of
  a text: ``.*.*.*=``, ``\s*\s*\s*;``. Each adds the length of the line as a factor. The search for a
  place to begin at counts as a repeat, unless the expression starts with ``^``; what stands at the
  very end and can't fail does not count;
- with many optional parts in a row that can take each other's place: ``a?`` thirty times;
- that can't be judged within `MOST_STEPS` steps.
"""

from __future__ import annotations

import functools
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import attrs

from kube_log_watcher_scalyr.automaton import ENDLESS, Automaton, TooComplicatedError, build
from kube_log_watcher_scalyr.characters import parser
from kube_log_watcher_scalyr.components import components

MOST_SPLITS = 2
MOST_DOUBLINGS = 13
MOST_STEPS = 200_000

AMBIGUOUS = "a repeat in it can match one text in several ways, which can take ages"
CROWDED = "too many repeats in it can take each other's text, which can take ages"
COMPLICATED = "it is too complicated to find out whether it could take ages"


@functools.lru_cache(maxsize=1000)
def danger(text: str) -> str | None:
    """Say why an expression could take ages to match; None when it can't. It must be one that compiles."""
    tree = parser.parse(text)
    try:
        return _danger(tree, tree.state.flags, anchored=_is_anchored(tree, tree.state.flags))
    except TooComplicatedError:
        return COMPLICATED


def _danger(tree: Any, flags: int, *, anchored: bool) -> str | None:
    automaton = build(tree, flags)
    steps = _Steps()
    if _Ways(automaton.takes, _followers(automaton.edges), steps).are_ambiguous(automaton.edges):
        return AMBIGUOUS
    if _is_crowded(automaton, steps, anchored=anchored):
        return CROWDED
    found = (_danger(condition, flags, anchored=True) for condition in automaton.conditions)
    return next(filter(None, found), None)


def _is_anchored(tree: Any, flags: int) -> bool:
    """Tell whether an expression can only match from the start of a line."""
    for operation, value in tree:
        if str(operation) == "SUBPATTERN":
            return _is_anchored(value[-1], flags)
        if str(operation) == "BRANCH":
            return all(_is_anchored(branch, flags) for branch in value[1])
        if str(operation) == "AT":
            return str(value) == "AT_BEGINNING_STRING" or (
                str(value) == "AT_BEGINNING" and not flags & re.MULTILINE
            )
        break
    return False


class _Steps:
    """Counts what a check costs: annotations must not keep the watcher busy either."""

    def __init__(self) -> None:
        self.left = MOST_STEPS

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooComplicatedError


Followers = Mapping[int, Collection[int]]


def _followers(edges: Iterable[tuple[int, int]]) -> Followers:
    followers: dict[int, set[int]] = defaultdict(set)
    for source, target in edges:
        followers[source].add(target)
    return followers


class _Ways:
    """Reads one text in several ways at a time."""

    def __init__(self, takes: list[int], followers: Followers, steps: _Steps) -> None:
        self._takes = takes
        self._followers = followers
        self._steps = steps

    def are_ambiguous(self, edges: Mapping[tuple[int, int], int]) -> bool:
        """Tell whether a repeat can read some text in two ways and be at the same state again."""
        loops = components(range(len(self._takes)), self._followers)
        home = {state: number for number, loop in enumerate(loops) for state in loop}
        if any(n > 1 and home[source] == home[target] for (source, target), n in edges.items()):
            return True
        return any(self._splits_and_joins(frozenset(loop)) for loop in loops if len(loop) > 1)

    def _splits_and_joins(self, loop: frozenset[int]) -> bool:
        starts = [(state, state) for state in loop]
        nexts = {}
        for pair in self._reached(starts, lambda pair: self._pairs(pair, loop)):
            nexts[pair] = self._pairs(pair, loop)
        backwards: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for pair, targets in nexts.items():
            for target in targets:
                backwards[target].append(pair)
        return any(one != other for one, other in self._reached(starts, lambda pair: backwards[pair]))

    def _pairs(self, pair: tuple[int, int], loop: frozenset[int]) -> list[tuple[int, int]]:
        return [
            (one, other) if one <= other else (other, one)
            for one, other in self._together(pair)
            if one in loop and other in loop
        ]

    def hand_over(self, left: frozenset[int], right: frozenset[int]) -> bool:
        """Tell whether some text leads round in ``left``, from there to ``right``, and round in there."""
        return any(self._hands_over(one, other, left, right) for one in left for other in right)

    def _hands_over(self, one: int, other: int, left: frozenset[int], right: frozenset[int]) -> bool:
        if not self._takes[one] & self._takes[other]:
            # The last character of the text leads to both.
            return False

        def nexts(triple: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
            round_left, between, round_right = triple
            for last in self._followers.get(round_right, ()):
                if last not in right:
                    continue
                for first, middle in self._together((round_left, between)):
                    self._steps.take()
                    if first in left and self._takes[first] & self._takes[middle] & self._takes[last]:
                        yield first, middle, last

        return (one, other, other) in self._reached([(one, one, other)], nexts)

    def _together(self, pair: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Give all pairs of states that follow by one and the same character."""
        for one in self._followers.get(pair[0], ()):
            for other in self._followers.get(pair[1], ()):
                self._steps.take()
                if self._takes[one] & self._takes[other]:
                    yield one, other

    def _reached(self, starts: Iterable[Any], nexts: Any) -> set[Any]:
        reached = set(starts)
        left = list(reached)
        while left:
            for one in nexts(left.pop()):
                self._steps.take()
                if one not in reached:
                    reached.add(one)
                    left.append(one)
        return reached


@attrs.frozen
class _Loop:
    """States that lead round, and in how many ways a text can stop doing so."""

    states: frozenset[int]
    ways: int


def _is_crowded(automaton: Automaton, steps: _Steps, *, anchored: bool) -> bool:
    """Tell whether too many repeats, one after the other, can take each other's text."""
    takes, edges = _searching(automaton, anchored=anchored)
    followers = _followers(edges)
    ways = _Ways(takes, followers, steps)
    loops = [
        _Loop(states, max((n for (source, target), n in edges.items() if {source, target} <= states), default=1))
        for states in map(frozenset, components(range(len(takes)), followers))
        if len(states) > 1 or any((state, state) in edges for state in states)
    ]
    # Components come in the order of the expression, so that whatever leads to a loop is judged before it.
    loops.reverse()
    most: dict[_Loop, tuple[int, float]] = {}
    for index, loop in enumerate(loops):
        splits, doublings = 0, 0.0
        for earlier in loops[:index]:
            if not _leads_to(earlier, loop, followers, steps):
                continue
            before = most[earlier]
            splits, doublings = max(splits, before[0]), max(doublings, before[1])
        for earlier in loops[:index]:
            if not _leads_to(earlier, loop, followers, steps) or not ways.hand_over(earlier.states, loop.states):
                continue
            before = most[earlier]
            number = min(earlier.ways, loop.ways)
            if number >= ENDLESS:
                splits = max(splits, before[0] + 1)
            else:
                doublings = max(doublings, before[1] + math.log2(number))
        most[loop] = splits, doublings
    return any(splits > MOST_SPLITS or doublings > MOST_DOUBLINGS for splits, doublings in most.values())
