"""What is reached in a graph, and which of its nodes lead back to themselves. Counts its steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

Followers = Mapping[int, Collection[int]]
Node = TypeVar("Node")


class TooComplicatedError(Exception):
    """An expression needs more steps to be checked than its check may take."""


class Steps:
    """Counts what a check costs: annotations must not keep the watcher busy either."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, number: int = 1) -> None:
        """Count some steps.

        Raises
        ------
        TooComplicatedError
            when there have been too many.
        """
        self._left -= number
        if self._left < 0:
            raise TooComplicatedError


def followers_of(edges: Iterable[tuple[int, int]]) -> Followers:
    """Give the nodes that follow on each."""
    followers: dict[int, set[int]] = defaultdict(set)
    for source, target in edges:
        followers[source].add(target)
    return dict(followers)


def reached(starts: Iterable[Node], nexts: Callable[[Node], Iterable[Node]], steps: Steps) -> set[Node]:
    """Find all nodes that the starts lead to, themselves included."""
    found = set(starts)
    left = list(found)
    while left:
        for node in nexts(left.pop()):
            steps.take()
            if node not in found:
                found.add(node)
                left.append(node)
    return found


def loops(followers: Followers, steps: Steps) -> list[frozenset[int]]:
    """Find the groups of nodes that lead to each other, each before the groups that it leads to."""
    back = followers_of((target, source) for source, targets in followers.items() for target in targets)
    left = set(back)

    def leading(node: int) -> Iterable[int]:
        return left.intersection(back.get(node, ()))

    found = []
    for node in reversed(_finished(followers, steps)):
        if node not in left:
            continue
        group = reached([node], leading, steps)
        left -= group
        if len(group) > 1 or node in followers.get(node, ()):
            found.append(frozenset(group))
    return found


def _finished(followers: Followers, steps: Steps) -> list[int]:
    """Give all nodes in the order in which a walk, depth first, is done with them."""
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
