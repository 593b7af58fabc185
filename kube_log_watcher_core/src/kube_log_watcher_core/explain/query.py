"""Which containers somebody asks about: names as in kubectl and stern, and selectors of labels. Pure."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Mapping

import attrs

MOST_NAMES = 5
"""So many similar names are told."""

_KEY = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s+\(([^()]*)\)")
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*([A-Za-z0-9._-]*)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")


@attrs.frozen
class Requirement:
    """One part of a selector."""

    key: str
    values: frozenset[str] | None = None
    """None: any will do."""
    negated: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it; a missing label meets what is negated, as in Kubernetes."""
        found = labels.get(self.key)
        meets = found is not None and (self.values is None or found in self.values)
        return meets is not self.negated


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """Read a selector: ``app=shop,tier!=test,team,!old,zone in (a,b)``.

    Raises `ValueError` when it is none.
    """
    # A comma between brackets separates values, not requirements.
    parts = [part.strip() for part in re.split(r",(?![^()]*\))", text)]
    return tuple(_requirement(part) for part in parts) if text.strip() else ()


def _requirement(part: str) -> Requirement:
    if match := _SET.fullmatch(part):
        values = frozenset(value.strip() for value in match[3].split(","))
        return Requirement(match[1], values, negated=match[2] == "notin")
    if match := _EQUAL.fullmatch(part):
        return Requirement(match[1], frozenset({match[3]}), negated=match[2] == "!=")
    if match := _EXISTS.fullmatch(part):
        return Requirement(match[2], negated=bool(match[1]))
    raise ValueError(f"{part!r} is no part of a label selector")


@attrs.frozen
class Names:
    """One way to understand what was named; None stands for any. Names may be globs."""

    namespace: str | None = None
    pod: str | None = None
    container: str | None = None

    def match(self, namespace: str, pod: str, container: str | None) -> bool:
        """Whether these are meant; a pod without a known container is, if its own name is."""
        return (
            _fits(namespace, self.namespace)
            and _fits(pod, self.pod)
            and (container is None or _fits(container, self.container))
        )


def _fits(name: str, pattern: str | None) -> bool:
    return pattern is None or name == pattern or fnmatch.fnmatchcase(name, pattern)


@attrs.frozen
class Query:
    """What is asked about."""

    names: tuple[Names, ...] = (Names(),)
    """Any of these."""
    selector: tuple[Requirement, ...] = ()

    def match(self, namespace: str, pod: str, container: str | None, labels: Mapping[str, str]) -> bool:
        """Whether a container, or a pod, is asked about."""
        named = any(each.match(namespace, pod, container) for each in self.names)
        return named and all(each.matches(labels) for each in self.selector)

    def similar(self, pods: Iterable[tuple[str, str]]) -> list[str]:
        """Return the pods that may have been meant, as ``namespace/pod``: the likeliest first."""
        wanted = {each.pod for each in self.names if each.pod}
        by_name: dict[str, list[str]] = {}
        for namespace, pod in sorted(set(pods)):
            by_name.setdefault(pod, []).append(f"{namespace}/{pod}")
        likely: dict[str, None] = {}
        for each in sorted(wanted):
            likely |= dict.fromkeys(name for name in by_name if each in name or name in each)
            likely |= dict.fromkeys(difflib.get_close_matches(each, by_name, n=MOST_NAMES, cutoff=0.6))
        return [full for name in likely for full in by_name[name]][:MOST_NAMES]


def parse_query(text: str, *, namespace: str | None = None, selector: str = "") -> Query:
    """Understand ``[NAMESPACE/]POD[/CONTAINER]``; of two parts the first may be either.

    Raises `ValueError` when there are too many parts, or the selector is none.
    """
    parts = [part or None for part in text.split("/")]
    names: tuple[Names, ...]
    if len(parts) == 1:
        names = (Names(namespace, parts[0]),)
    elif len(parts) == 2 and namespace:
        names = (Names(namespace, *parts),)
    elif len(parts) == 2:
        names = (Names(*parts), Names(None, *parts))
    elif len(parts) == 3 and namespace in {None, parts[0]}:
        names = (Names(*parts),)
    else:
        raise ValueError(f"{text!r} is not [NAMESPACE/]POD[/CONTAINER]")
    return Query(names, parse_selector(selector))
