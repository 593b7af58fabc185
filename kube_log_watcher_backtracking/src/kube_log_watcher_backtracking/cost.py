"""How many steps a search with an automaton can take, on the worst text of some length."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from kube_log_watcher_backtracking.ambiguity import Pair, Reading
from kube_log_watcher_backtracking.automaton import Automaton, Empty
from kube_log_watcher_backtracking.drawing import MOST_ROUNDS
from kube_log_watcher_backtracking.graphs import Followers, Steps, components, followers_of, is_loop, reached

ANYTHING: Final = -1
"""The set of all characters."""
LIGHT: Final = 8.0
"""Ways on other paths than round a repeat, as a power of two, up to which they count as what they are."""
WEIGHT: Final = 5.0
"""How much slower `re` is with many of these than with places in a repeat of one character, likewise."""


@attrs.frozen
class Search:
    """An automaton with the search around it: a state that stays where it is, and begins at any place."""

    takes: tuple[int, ...]
    edges: Mapping[Pair, int]
    """In how many ways each can be gone."""
    rounds: Mapping[Pair, int]
    ends: Mapping[int, int]
    """In how many ways the match can end with each state."""
    start: int
    steps: Steps

    @classmethod
    def with_(cls, automaton: Automaton, *, anywhere: bool) -> Search:
        """Return the search with an expression, from the start of a text alone or ``anywhere``.

        Where a match can't fail any more it is as good as over.
        """
        start = len(automaton.takes)
        done = _settled(automaton)
        edges = {edge: ways for edge, ways in automaton.edges.items() if edge[0] not in done}
        edges |= {(start, first): ways for first, ways in automaton.whole.first.items()}
        rounds = dict(automaton.rounds)
        if anywhere:
            edges[start, start] = 1
            rounds[start, start] = MOST_ROUNDS
        ends = {state: end.ways for state, end in automaton.whole.last.items() if state not in done}
        ends[start] = automaton.whole.empties
        return cls((*automaton.takes, ANYTHING), edges, rounds, ends, start, automaton.steps)


def _settled(automaton: Automaton) -> frozenset[int]:
    """Return the states from which a match can't fail any more: however it goes on, it may end there."""
    ends = automaton.whole.last
    clean = {state for state, end in ends.items() if end.clean is Empty.FREELY and end.ways == 1}
    back = followers_of((target, source) for source, target in automaton.edges)
    # Also where it ends well in the end, each of several ways to read the same may be tried before that.
    doubled = {source for (source, _), ways in automaton.edges.items() if ways > 1}
    unclean = (set(range(len(automaton.takes))) - clean) | doubled
    open_ended = reached(unclean, lambda state: back.get(state, ()), automaton.steps)
    return frozenset(clean - open_ended)


def doubles(automaton: Automaton) -> bool:
    """Whether a repeat can match one text in several ways: their number doubles with every few characters."""
    followers = followers_of(automaton.edges)
    reading = Reading(automaton.takes, followers, automaton.steps)
    many = [edge for edge, ways in automaton.edges.items() if ways > 1]
    for group in components(followers, automaton.steps):
        if is_loop(group, followers) and (
            any(group.issuperset(edge) for edge in many) or reading.is_ambiguous(group)
        ):
            return True
    return False


@attrs.frozen
class _Loop:
    states: frozenset[int]
    rounds: int
    """How often it can be gone round, at most."""
    leads_to: frozenset[int]

    def places(self, spacing: int) -> int:
        """Return how many places there are on the way round, so many characters apart, at most.

        With the weight of those in a repeat of more than one character.
        """
        if len(self.states) > 1:
            return self.rounds << int(WEIGHT)
        return (self.rounds - 1) // spacing + 1


def cost(search: Search, length: int) -> float:
    """Return the steps of a search in a text of that length, at worst, as a power of two.

    For each character of the text it is the number of ways to read all that comes before: the place
    where a repeat hands over to a later one can be anywhere. What is added up here is never less; that
    each has its own texts at which it is at worst is left out of account.
    """
    followers = followers_of(search.edges)
    reading = Reading(search.takes, followers, search.steps)
    meeting = reading.meeting(search.start)
    groups = components(followers, search.steps)
    places = _places(search, groups, reading, meeting, length)
    branches = _branches(search, groups, followers, meeting)
    return math.log2(length) + places + branches + (WEIGHT if branches > LIGHT else 0.0)


def _places(
    search: Search, groups: list[frozenset[int]], reading: Reading, meeting: frozenset[Pair], length: int
) -> float:
    """Return in how many places repeats can hand over to each other, as a power of two."""
    both = meeting | {(other, one) for one, other in meeting}
    places: dict[_Loop, float] = {}
    for loop in _loops(search, groups, reading.followers):
        most = 0.0
        for earlier, before in places.items():
            if earlier.leads_to.isdisjoint(loop.states):
                continue
            most = max(most, before)
            most = max(most, before + math.log2(_handovers(earlier, loop, reading, both, length)))
        places[loop] = most
    return max(places.values(), default=0.0)


def _handovers(earlier: _Loop, later: _Loop, reading: Reading, meeting: frozenset[Pair], length: int) -> int:
    """Return at how many places of a text one loop can hand over to another."""
    if min(earlier.rounds, later.rounds) >= length:
        return length if reading.hands_over(earlier.states, later.states, meeting) else 1
    spacing = reading.spacing(earlier.states, later.states, meeting)
    return 1 if spacing is None else min(earlier.places(spacing), later.places(spacing), length)


def _loops(search: Search, groups: list[frozenset[int]], followers: Followers) -> Iterator[_Loop]:
    home = {state: number for number, group in enumerate(groups) for state in group}
    rounds: dict[int, int] = defaultdict(lambda: 1)
    for source, target in search.edges:
        if home[source] == home[target]:
            rounds[home[source]] = max(rounds[home[source]], search.rounds.get((source, target), 1))
    for number, group in enumerate(groups):
        if is_loop(group, followers):
            onwards = reached(group, lambda state: followers.get(state, ()), search.steps)
            yield _Loop(group, rounds[number], frozenset(onwards))


def _branches(
    search: Search, groups: list[frozenset[int]], followers: Followers, meeting: frozenset[Pair]
) -> float:
    """Return in how many ways one text can lead to one state on other paths than round a repeat.

    As a power of two. Two ways count when one text leads to both of the states before.
    """
    partners = _partners(meeting)
    entries = _entries(search, groups)
    ways: dict[int, int] = {}
    for number, group in enumerate(groups):
        late = frozenset[int]()
        if is_loop(group, followers):
            late = late.union(*(partners[state] for state in group))
        most = _ways_into(entries[number], search=search, ways=ways, partners=partners, late=late)
        ways |= dict.fromkeys(group, most)
    onwards = [ways[source] * number for (source, _), number in search.edges.items() if source in ways]
    ending = [ways.get(state, 1) * number for state, number in search.ends.items()]
    return math.log2(max([1, *onwards, *ending]))


def _partners(meeting: frozenset[Pair]) -> Mapping[int, set[int]]:
    partners: dict[int, set[int]] = defaultdict(set)
    for one, other in meeting:
        partners[one].add(other)
        partners[other].add(one)
    return partners


def _entries(search: Search, groups: list[frozenset[int]]) -> Mapping[int, list[Pair]]:
    home = {state: number for number, group in enumerate(groups) for state in group}
    entries: dict[int, list[Pair]] = defaultdict(list)
    for source, target in search.edges:
        if home[source] != home[target]:
            entries[home[target]].append((source, target))
    return entries


def _ways_into(
    entries: list[Pair],
    *,
    search: Search,
    ways: Mapping[int, int],
    partners: Mapping[int, set[int]],
    late: frozenset[int],
) -> int:
    """Return in how many ways one text can lead into a group.

    Two entries count together when one text leads through both at the same time, or through one while it
    goes round in the group already: then that begins in one of the ``late`` states. Of entries that never
    count together, the one with the most ways counts.
    """

    def together(one: Pair, other: Pair) -> bool:
        search.steps.take()
        if one[0] in late or other[0] in late:
            return True
        return other[0] in partners[one[0]] and bool(search.takes[one[1]] & search.takes[other[1]])

    rivals: list[list[Pair]] = []
    total = 0
    for number, entry in sorted(
        ((ways[edge[0]] * search.edges[edge], edge) for edge in entries), reverse=True
    ):
        home = next((group for group in rivals if not any(together(entry, other) for other in group)), None)
        if home is None:
            rivals.append([entry])
            total += number
        else:
            home.append(entry)
    return max(total, 1)
