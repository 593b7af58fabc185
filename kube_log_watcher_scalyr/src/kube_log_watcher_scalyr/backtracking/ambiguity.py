"""Whether an automaton can read one text in several ways: within a repeat, or from one repeat to the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import attrs

from kube_log_watcher_scalyr.backtracking.graphs import Followers, Steps, reached

Pair = tuple[int, int]
Triple = tuple[int, int, int]


@attrs.frozen
class Reading:
    """Reads one text in several ways at a time."""

    takes: Sequence[int]
    followers: Followers
    steps: Steps

    def is_ambiguous(self, loop: frozenset[int]) -> bool:
        """Tell whether some text leads in two ways from a state back to it."""
        starts = [(state, state) for state in loop]
        nexts: dict[Pair, list[Pair]] = {}
        back: dict[Pair, list[Pair]] = defaultdict(list)

        def onwards(pair: Pair) -> list[Pair]:
            nexts[pair] = [found for found in self._together(pair) if loop.issuperset(found)]
            return nexts[pair]

        for pair in reached(starts, onwards, self.steps):
            for target in nexts[pair]:
                back[target].append(pair)
        joined = reached(starts, lambda pair: back.get(pair, ()), self.steps)
        return any(one != other for one, other in joined)

    def hands_over(self, left: frozenset[int], right: frozenset[int]) -> bool:
        """Tell whether some text leads round in ``left``, from there to ``right``, and round in there."""
        return any(self._hands_over((one, one, other), left, right) for one in left for other in right)

    def _hands_over(self, start: Triple, left: frozenset[int], right: frozenset[int]) -> bool:
        one, _, other = start
        if not self.takes[one] & self.takes[other]:
            # The last character of the text leads to both.
            return False

        def onwards(triple: Triple) -> Iterator[Triple]:
            for first, middle in self._together(triple[:2]):
                if first not in left:
                    continue
                both = self.takes[first] & self.takes[middle]
                for last in self.followers.get(triple[2], ()):
                    self.steps.take()
                    if last in right and self.takes[last] & both:
                        yield first, middle, last

        return (one, other, other) in reached([start], onwards, self.steps)

    def _together(self, pair: Pair) -> Iterator[Pair]:
        """Give the pairs of states to which one and the same character leads."""
        for one in self.followers.get(pair[0], ()):
            for other in self.followers.get(pair[1], ()):
                self.steps.take()
                if self.takes[one] & self.takes[other]:
                    yield one, other
