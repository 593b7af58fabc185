"""Annotations that are for the watcher itself, and how all of its annotations are named.

One plain annotation for each setting: ``kubernetes-log-watcher/<setting>`` is for the whole pod,
``kubernetes-log-watcher/<setting>.<container>`` for one container, and beats the pod's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PREFIX: Final = "kubernetes-log-watcher/"

_WORDS = {"true": True, "false": False}


def annotation_for(annotations: Mapping[str, str], setting: str, container: str) -> tuple[str, str] | None:
    """Find the annotation that counts for a container: its own, else the pod's; give name and value."""
    for name in (f"{PREFIX}{setting}.{container}", f"{PREFIX}{setting}"):
        if name in annotations:
            return name, annotations[name]
    return None


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
