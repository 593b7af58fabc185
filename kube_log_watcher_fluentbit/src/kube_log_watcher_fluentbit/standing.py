"""What stands of each name, and what of it has to outlive the logs that are followed.

A log that is followed no longer, since its pod was excluded say, may live on. The spool shows it no more, but
Fluent Bit has it open and reads on. So the pod's file stays as long as such a log does, and excludes it. The
file itself remembers for that which logs it was about: a restart forgets nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from kube_log_watcher_fluentbit.metadata import exclusions
from kube_log_watcher_fluentbit.names import Name
from kube_log_watcher_static import read_bounded

MEMBER: Final = "kube_log_watcher"
"""Of the document: ours. Fluent Bit looks at ``metadata``, ``spec`` and ``status`` only."""
ENDING: Final = ".meta"
_LONGEST_FILE = 1024 * 1024
"""Bytes of a file that an earlier life has left."""


@attrs.frozen
class Standing:
    """What a name's file says."""

    pod: str
    """Which pod it is about, as `names.pod_of` tells it."""
    content: bytes = attrs.field(repr=False)
    logs: Mapping[str, str]
    """Paths of the pod's logs by their containers' names; of several runs, the last."""
    excluded: frozenset[str] = frozenset()
    """Containers of which Fluent Bit must drop all lines, for nobody follows them any more."""
    text: str | bytes = attrs.field(default="", repr=False)
    """The pod's metadata that it was made of."""

    def is_made_of(self, text: str, logs: Mapping[str, str], excluded: Iterable[str]) -> bool:
        """Whether it is what these make."""
        return (self.text, self.logs, self.excluded) == (text, logs, frozenset(excluded))

    def lives_on(self, but: Iterable[str] = ()) -> Mapping[str, str]:
        """Return the logs that are still on the node, but for those of some containers."""
        followed = frozenset(but)
        return {name: log for name, log in self.logs.items() if name not in followed and os.path.lexists(log)}


def standing(
    pod: str, text: str | bytes, logs: Mapping[str, str], *, excluded: Collection[str] = ()
) -> Standing:
    """Return what stands when a pod's metadata are written, with containers that Fluent Bit must drop."""
    document: dict[str, Any] = json.loads(text)
    document["metadata"]["annotations"] |= exclusions(excluded)
    document[MEMBER] = {"pod": pod, "logs": dict(logs)}
    content = json.dumps(document, sort_keys=True).encode()
    return Standing(pod, content, logs, frozenset(excluded), text)


def read_standing(path: Path) -> Standing | None:
    """Return what a file says that is there; None where it can't be told."""
    try:
        content = read_bounded(path, _LONGEST_FILE)
        document = json.loads(content)
        pod, logs = document[MEMBER]["pod"], document[MEMBER]["logs"]
        is_ours = isinstance(document["metadata"]["annotations"], dict) and isinstance(pod, str)
        known = {str(name): str(log) for name, log in logs.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return Standing(pod, content, known) if is_ours else None


def read_all(folder: Path) -> Mapping[Name, Standing]:
    """Return what an earlier life has left in a folder, by name."""
    found = {}
    try:
        files = sorted(name for name in os.listdir(folder) if name.endswith(ENDING))
    except OSError:
        return {}
    for file in files:
        namespace, _, pod = file.removesuffix(ENDING).partition("_")
        stands = read_standing(folder / file)
        if stands is not None:
            found[namespace, pod] = stands
    return found
