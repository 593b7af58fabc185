"""Turns what the kernel says into what a person can act on: which path, and what to do."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.errors import AgentError, PartlyFailed

_REMEDIES = {
    errno.EBUSY: "something is mounted there: mount the folder, not the file (no subPath)",
    errno.EISDIR: "a folder stands where a file or link belongs: move it away",
    errno.ENOTDIR: "a file stands where a folder belongs: move it away",
    errno.EROFS: "mount the folder read-write",
}
_FOLDER_REMEDIES = {**_REMEDIES, errno.ENOENT: "create it, or mount it into the container"}


@contextlib.contextmanager
def attributed(path: Path, *, is_folder: bool = False) -> Iterator[None]:
    """Raise `AgentError` for an `OSError` inside, with the path; ``is_folder``: one that must be there."""
    try:
        yield
    except OSError as error:
        remedies = _FOLDER_REMEDIES if is_folder else _REMEDIES
        remedy = f": {remedies[error.errno]}" if error.errno in remedies else ""
        raise AgentError(f"{path}: {error.strerror}{remedy}") from error


@attrs.frozen
class Fault:
    """What stands against one item."""

    path: Path
    error: AgentError
    refused: bool = False
    """It is wrong in itself, and no disk's trouble: trying again doesn't help."""

    @property
    def is_full(self) -> bool:
        """Whether it was only room that a write lacked."""
        cause = self.error.__cause__
        return isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}


def summary(errors: Sequence[AgentError]) -> PartlyFailed:
    """Return one error for several: the first of them, and how many others there are."""
    others = len({str(error) for error in errors}) - 1
    more = f" (and {others} more)" if others else ""
    return PartlyFailed(f"{errors[0]}{more}")


_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")


class Spared:
    """What is stale and yet not removed: it may be what an item at fault was to take the place of.

    An item with container ids in its path is about those containers only. One without may be about all of
    them, as a shipper's only file is: then nothing is removed, unless the item is wrong in itself, which
    would keep everything for ever.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        about = [(fault, frozenset(_CONTAINER_ID.findall(str(fault.path)))) for fault in faults]
        self._all = any(not ids and not fault.refused for fault, ids in about)
        self._ids = frozenset[str]().union(*(ids for _, ids in about))

    def __contains__(self, path: Path) -> bool:
        return self._all or (bool(self._ids) and not self._ids.isdisjoint(_CONTAINER_ID.findall(str(path))))
