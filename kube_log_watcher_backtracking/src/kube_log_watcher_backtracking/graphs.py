"""What is reached in a graph, and which of its nodes lead back to themselves. Counts its steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

Followers = Mapping[int, Collection[int]]
Node = TypeVar("Node")


class TooComplicatedError(Exception):
    """An expression needs more steps to be judged than that may take."""


class Steps:
    """Counts what a judgement costs: whoever writes expressions must not keep the judge busy either."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    def take(self, number: int = 1) -> None:
        """Count some steps.

        Raises
        ------
        TooComplicatedError
            when there have been too many.
        """
        self.taken += number
        if self.taken > self._most:
            raise TooComplicatedError


def followers_of(edges: Iterable[tuple[int, int]]) -> Followers:
    """Return the nodes that follow on each."""
    followers: dict[int, set[int]] = defaultdict(set)
    for source, target in edges:
        followers[source].add(target)
    return dict(followers)


def reached(starts: Iterable[Node], nexts: Callable[[Node], Iterable[Node]], steps: Steps) -> set[Node]:
    """Return all nodes that the starts lead to, themselves included."""
    found = set(starts)
    left = list(found)
    while left:
        for node in nexts(left.pop()):
            steps.take()
            if node not in found:
                found.add(node)
                left.append(node)
    return found


def components(followers: Followers, steps: Steps) -> list[frozenset[int]]:
    """Return the groups of nodes that lead to each other, each before the groups that it leads to.

    A node that doesn't lead back to itself is a group of its own.
    """
    back = followers_of((target, source) for source, targets in followers.items() for target in targets)
    left = followers.keys() | back.keys()

    def leading(node: int) -> Iterable[int]:
        return left.intersection(back.get(node, ()))

    found = []
    for node in reversed(_finished(followers, steps)):
        if node in left:
            group = reached([node], leading, steps)
            left -= group
            found.append(frozenset(group))
    return found


def is_loop(group: frozenset[int], followers: Followers) -> bool:
    """Whether a group of `components` leads back to itself."""
    return len(group) > 1 or any(node in followers.get(node, ()) for node in group)


def _finished(followers: Followers, steps: Steps) -> list[int]:
    """Return all nodes in the order in which a walk, depth first, is done with them."""
    order: list[int] = []
    seen: set[int] = set()
    for start in followers:
        walk = [] if start in seen else [(start, iter(followers[start]))]
        seen.add(start)
        while walk:
            steps.take()
            node, targets = walk[-1]
            target = next((one for one in targets if one not in seen), None)
            if target is None:
                order.append(node)
                walk.pop()
            else:
                seen.add(target)
                walk.append((target, iter(followers.get(target, ()))))
    return order
