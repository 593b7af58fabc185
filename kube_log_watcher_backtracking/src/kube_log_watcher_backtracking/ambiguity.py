"""In how many ways an automaton can read one text: within a repeat, and from one place to the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import attrs

from kube_log_watcher_backtracking.graphs import Followers, Steps, reached

Pair = tuple[int, int]
Triple = tuple[int, int, int]


@attrs.frozen
class Reading:
    """Reads one text in several ways at a time."""

    takes: Sequence[int]
    followers: Followers
    steps: Steps

    def meeting(self, start: int) -> frozenset[Pair]:
        """Return the pairs of states, smaller first, to which one text can lead from a start."""
        return frozenset(reached([(start, start)], self._ordered, self.steps))

    def is_ambiguous(self, loop: frozenset[int]) -> bool:
        """Whether some text leads in two ways from a state back to it."""
        starts = [(state, state) for state in loop]
        nexts: dict[Pair, list[Pair]] = {}
        back: dict[Pair, list[Pair]] = defaultdict(list)

        def onwards(pair: Pair) -> list[Pair]:
            nexts[pair] = [found for found in self._ordered(pair) if loop.issuperset(found)]
            return nexts[pair]

        for pair in reached(starts, onwards, self.steps):
            for target in nexts[pair]:
                back[target].append(pair)
        joined = reached(starts, lambda pair: back.get(pair, ()), self.steps)
        return any(one != other for one, other in joined)

    def handover(self, left: frozenset[int], right: frozenset[int], meeting: Iterable[Pair]) -> int | None:
        """Return the length of a text that leads round in ``left``, on to ``right``, and round in there.

        The shortest there is; None: there is none. ``meeting`` are the pairs that one text can lead to, in
        both orders.
        """
        starts = ((one, one, other) for one, other in meeting if one in left and other in right)
        lengths = (self._handover(start, left, right) for start in starts)
        return min((length for length in lengths if length is not None), default=None)

    def _handover(self, start: Triple, left: frozenset[int], right: frozenset[int]) -> int | None:
        one, _, other = start
        if not self.takes[one] & self.takes[other]:
            # The last character of the text leads to both.
            return None
        end, found, row, length = (one, other, other), {start}, [start], 0
        while row:
            length += 1
            after = [triple for each in row for triple in self._onwards(each, left, right)]
            if end in after:
                return length
            row = list(dict.fromkeys(triple for triple in after if triple not in found))
            found.update(row)
        return None

    def _onwards(self, triple: Triple, left: frozenset[int], right: frozenset[int]) -> Iterator[Triple]:
        for first, middle in self._together(triple[:2]):
            if first not in left:
                continue
            both = self.takes[first] & self.takes[middle]
            for last in self.followers.get(triple[2], ()):
                self.steps.take()
                if last in right and self.takes[last] & both:
                    yield first, middle, last

    def _ordered(self, pair: Pair) -> Iterator[Pair]:
        for one, other in self._together(pair):
            yield (one, other) if one <= other else (other, one)

    def _together(self, pair: Pair) -> Iterator[Pair]:
        """Yield the pairs of states to which one and the same character leads."""
        for one in self.followers.get(pair[0], ()):
            takes = self.takes[one]
            for other in self.followers.get(pair[1], ()):
                self.steps.take()
                if takes & self.takes[other]:
                    yield one, other
