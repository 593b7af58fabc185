"""Annotations that are for the watcher itself, and how all of its annotations are named.

One plain annotation for each setting: ``kubernetes-log-watcher/<setting>`` is for the whole pod,
``kubernetes-log-watcher/<setting>.<container>`` for one container, and beats the pod's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

PREFIX: Final = "kubernetes-log-watcher/"

SETTINGS: Final = frozenset({"exclude", "include"})
"""What pods may ask of the watcher itself."""

MOST_CHECKED = 20
"""So many unknown annotations of a pod are compared with what there is."""
_ALIKE = 0.75

_WORDS = {"true": True, "false": False}


def annotation_for(annotations: Mapping[str, str], setting: str, container: str) -> tuple[str, str] | None:
    """Find the annotation that counts for a container: its own, else the pod's; give name and value."""
    for name in (f"{PREFIX}{setting}.{container}", f"{PREFIX}{setting}"):
        if name in annotations:
            return name, annotations[name]
    return None


def misspelt(
    annotations: Mapping[str, str], known: Collection[str], containers: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield annotations that are nearly one that somebody reads, with what may have been meant.

    What is like nothing that is known may be for an agent that does not run here: it is left alone.

    Parameters
    ----------
    known
        what may be asked for, by the names after the prefix.
    containers
        names of the pod's containers as far as they are known; none where they are not yet.
    """
    ours = [name for name in annotations if name.startswith(PREFIX)]
    unknown = [name for name in ours if not _is_read(name, known, containers)]
    for name in sorted(unknown)[:MOST_CHECKED]:
        setting, _, container = name.removeprefix(PREFIX).partition(".")
        meant = setting if setting in known else _nearest(setting, known)
        whose = container if not containers or container in containers else _nearest(container, containers)
        if meant is not None and (not container or whose is not None):
            right = f"{PREFIX}{meant}" + (f".{whose}" if container else "")
            if right != name:
                yield name, f"nobody reads it: did you mean {right}?"


def _is_read(name: str, known: Collection[str], containers: Collection[str]) -> bool:
    setting, dot, container = name.removeprefix(PREFIX).partition(".")
    return setting in known and (not dot or not containers or container in containers)


def _nearest(word: str, words: Collection[str]) -> str | None:
    import difflib  # noqa: PLC0415 - hardly ever needed

    return next(iter(difflib.get_close_matches(word, sorted(words), n=1, cutoff=_ALIKE)), None)


class NotTrueOrFalse(ValueError):
    """An annotation that must be ``true`` or ``false`` is neither."""

    def __init__(self, annotation: str, value: str) -> None:
        super().__init__(f"{value[:40]!r} is neither true nor false")
        self.annotation = annotation


def is_excluded(annotations: Mapping[str, str], container: str) -> bool:
    """Whether a pod's author doesn't want this container's log to be followed.

    A container's own ``exclude`` or ``include`` beats the pod's; of the two, ``exclude`` beats.
    Raises `NotTrueOrFalse` when one of them is neither true nor false.
    """
    for suffix in (f".{container}", ""):
        for setting, excluding in (("exclude", True), ("include", False)):
            name = f"{PREFIX}{setting}{suffix}"
            if name in annotations:
                word = annotations[name].strip().lower()
                if word not in _WORDS:
                    raise NotTrueOrFalse(name, annotations[name])
                return _WORDS[word] is excluding
    return False
