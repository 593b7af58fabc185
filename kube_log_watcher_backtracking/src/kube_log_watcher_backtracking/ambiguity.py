"""In how many ways an automaton can read one text: within a repeat, and from one place to the next."""

from __future__ import annotations

import enum
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

import attrs

from kube_log_watcher_backtracking.graphs import Followers, Steps, reached

Pair = tuple[int, int]
Triple = tuple[int, int, int]


class _Stage(enum.Enum):
    """How far two ways to read one text have come that leave a loop at different places."""

    ROUND = 0
    """Both go round in it."""
    APART = 1
    """One has left it."""
    GONE = 2
    """Both have."""


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

    def hands_over(self, left: frozenset[int], right: frozenset[int], meeting: Iterable[Pair]) -> bool:
        """Whether some text leads round in ``left``, from there to ``right``, and round in there.

        It can be repeated, and each time is another place to leave. ``meeting`` are the pairs that one text
        can lead to, in both orders.
        """
        starts = ((one, one, other) for one, other in meeting if one in left and other in right)
        return any(self._hands_over(start, left, right) for start in starts)

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

    def spacing(self, left: frozenset[int], right: frozenset[int], meeting: Iterable[Pair]) -> int | None:
        """Return how far apart the places are at least where one text can leave ``left`` for ``right``.

        Of two ways to read it, one has left while the other goes round for so many characters more, and both
        come to ``right``. None: there are no two such places. ``meeting`` as above.
        """
        row = deque(((pair, _Stage.ROUND), 0) for pair in meeting if left.issuperset(pair))
        found = {node for node, _ in row}
        while row:
            (pair, stage), characters = row.popleft()
            if stage is _Stage.GONE and right.issuperset(pair):
                return characters
            for first, second in self._together(pair):
                after = _Stage.APART if second in left else _Stage.GONE
                node = (first, second), after
                if first in left or node in found or (stage is _Stage.ROUND and after is _Stage.GONE):
                    continue
                found.add(node)
                # What lies no further apart comes first.
                if after is _Stage.APART:
                    row.append((node, characters + 1))
                else:
                    row.appendleft((node, characters))
        return None

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
