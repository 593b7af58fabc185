"""Turns what the kernel says into what a person can act on: which path, and what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from pathlib import Path

from kube_log_watcher_core.errors import AgentError

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


def is_full(fault: AgentError) -> bool:
    """Tell whether it was only room that a write lacked."""
    cause = fault.__cause__
    return isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}


def summary(faults: Sequence[AgentError]) -> AgentError:
    """Give one error for several: the first of them, and how many others there are."""
    others = len({str(fault) for fault in faults}) - 1
    more = f" (and {others} more)" if others else ""
    return AgentError(f"{faults[0]}{more}")
