"""What the fake API server knows: objects, and every change since the last compaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from kube_log_watcher_testing.fake_api.objects import JsonObject, copied

UNSENT = 1000
"""So many changes are kept for watches that are open and have not been sent them."""

Selector = Callable[[JsonObject], bool]
"""Tells whether an object is asked for."""


@dataclass(frozen=True)
class Change:
    """One object's step from one state to the next."""

    version: int
    before: JsonObject | None
    after: JsonObject | None

    def seen_by(self, selector: Selector) -> tuple[str, JsonObject] | None:
        """Return the event that a watch with this selector sees, if any.

        An object that leaves the selection is DELETED for it, one that enters is ADDED.
        """
        was = self.before is not None and selector(self.before)
        if self.after is not None and selector(self.after):
            return ("MODIFIED" if was else "ADDED"), self.after
        if was and self.before is not None:
            return "DELETED", _at(self.before, self.version)
        return None


class History:
    """Objects by namespace and name, with one version that counts all changes."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._version = 1000
        self._oldest = 1000
        self._items: dict[tuple[str, str], JsonObject] = {}
        self._changes: list[Change] = []

    @property
    def version(self) -> int:
        """The version of the newest change."""
        return self._version

    def put(self, item: JsonObject) -> JsonObject:
        """Create an object, or replace the one of the same name."""
        with self.changed:
            key = item["metadata"]["namespace"], item["metadata"]["name"]
            stored = _at(item, self._version + 1)
            self._add(Change(self._version + 1, self._items.get(key), stored))
            self._items[key] = stored
            return copied(stored)

    def get(self, namespace: str, name: str) -> JsonObject | None:
        """Return an object; None without it."""
        with self.changed:
            found = self._items.get((namespace, name))
            return copied(found) if found else None

    def remove(self, namespace: str, name: str) -> None:
        """Delete an object. Raises `KeyError` when it isn't there."""
        with self.changed:
            gone = self._items.pop((namespace, name))
            self._add(Change(self._version + 1, gone, None))

    def select(self, selector: Selector) -> tuple[int, list[JsonObject]]:
        """Return the version and all objects that are asked for, sorted."""
        with self.changed:
            items = [self._items[key] for key in sorted(self._items)]
            return self._version, [item for item in items if selector(item)]

    def after(self, version: int) -> list[Change]:
        """Return the changes after a version."""
        with self.changed:
            return [change for change in self._changes if change.version > version]

    def knows(self, version: int) -> bool:
        """Whether all changes after a version are still here."""
        return version >= self._oldest

    def compact(self) -> None:
        """Forget all changes so far, as an API server does when it starts.

        No watch can begin before that. One that is open still gets what it has not been sent yet.
        """
        with self.changed:
            self._version += 1  # nobody can be up to date with what is forgotten
            self._oldest = self._version
            del self._changes[:-UNSENT]
            self.changed.notify_all()

    def go_back(self, version: int) -> None:
        """Set the version back, as when etcd is restored from a copy: clients hold one from the future."""
        with self.changed:
            self._version = self._oldest = version
            self._changes.clear()

    def _add(self, change: Change) -> None:
        self._version = change.version
        self._changes.append(change)
        self.changed.notify_all()


def _at(item: JsonObject, version: int) -> JsonObject:
    copy = copied(item)
    copy["metadata"]["resourceVersion"] = str(version)
    return copy
