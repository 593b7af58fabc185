"""A log's attributes: what the watcher knows, what labels add, and what the pod's annotation adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kube_log_watcher_core import LogTarget
from kube_log_watcher_scalyr.plain import as_plain, is_plain, shortened

MOST_ATTRIBUTES: Final = 50
LONGEST_NAME: Final = 200
LONGEST_VALUE: Final = 1000
LARGEST_NUMBER: Final = 1e15
"""Every reader of JSON reads numbers below this as the same; NaN is not below it."""

RESERVED: Final = frozenset({"logfile", "filename", "original_file", "serverHost", "cluster"})
"""Attributes that the Scalyr agent or the server gives a meaning to: no pod may set them."""

_SERVERS: Final = frozenset({"serverHost", "cluster", "cluster_alias", "cluster_environment", "node"})
_LABELS: Final = frozenset({"application", "component", "environment", "version", "release"})
_OWN: Final = frozenset({"pod", "namespace", "container", "container_id", "parser"})
_TAKEN: Final = RESERVED | _SERVERS | _LABELS | _OWN


def attributes(
    target: LogTarget, *, parser: str, server: Mapping[str, str], wished: Mapping[str, str | float]
) -> dict[str, str | float]:
    """Return a log's attributes, but those that are empty or the same for the whole node.

    The annotation's beat labels; neither can take the place of anything that the watcher knows.
    """
    own = {
        "application": target.application,
        "component": target.component,
        "environment": target.environment,
        "version": target.version,
        "release": target.release,
        "pod": target.pod_name,
        "namespace": target.namespace,
        "container": target.container_name,
        "container_id": target.id,
        "parser": parser,
    }
    taken = own.keys() | server.keys() | RESERVED
    labels = {name: value for name, value in target.attributes.items() if name not in taken}
    plain = {as_plain(name): as_plain(value) for name, value in {**own, **labels}.items() if value}
    return {name: value for name, value in {**plain, **wished}.items() if server.get(name) != value}


def checked_attributes(value: object) -> tuple[dict[str, str | float], tuple[str, ...]]:
    """Return the attributes of an annotation that can be used, and what is wrong with the others."""
    if not isinstance(value, Mapping):
        return {}, (f"expected a JSON object of attributes, found {shortened(value)}",)
    good: dict[str, str | float] = {}
    reasons: list[str] = []
    for name, one in list(value.items())[:MOST_ATTRIBUTES]:
        try:
            good[_checked_name(name)] = _checked_value(one)
        except ValueError as error:
            reasons.append(f"attribute {shortened(name)} is left out: {error}")
    if len(value) > MOST_ATTRIBUTES:
        reasons.append(f"only the first {MOST_ATTRIBUTES} attributes count")
    return good, tuple(reasons)


def _checked_name(name: str) -> str:
    if name in _TAKEN:
        raise ValueError("the name is reserved")
    if not name or len(name) > LONGEST_NAME or not is_plain(name):
        raise ValueError(f"a name has up to {LONGEST_NAME} characters, none beyond U+FFFF")
    return name


def _checked_value(value: object) -> str | float:
    if isinstance(value, str) and len(value) <= LONGEST_VALUE and is_plain(value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER:
        return value
    expected = f"text of up to {LONGEST_VALUE} characters, none beyond U+FFFF, or a number of up to 15 digits"
    raise ValueError(f"expected {expected}, found {shortened(value)}")
