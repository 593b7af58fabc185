"""The service account's files, followed as they are replaced."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from kube_log_watcher_core.errors import Unauthorized

_TOKEN = re.compile(r"[\x21-\x7e]+")

Signature = tuple[int, int, int]


def signature(path: Path | None) -> Signature | None:
    """Tell a file's state apart from its next; None when it can't be had.

    The kubelet replaces the files by moving a link (``..data``), which shows in the inode.
    """
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


class Token:
    """The bearer token, read again when its file changes: bound tokens rotate hourly."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: Signature | None = None
        self._value: str | None = None

    @property
    def changed(self) -> bool:
        """Whether the file is another than the one that was read last."""
        return signature(self._path) != self._seen

    def headers(self) -> dict[str, str]:
        """Give the header that carries the token; none without a token's file.

        Raises `Unauthorized` when there should be a token and is none.
        """
        if self._path is None:
            return {}
        if self._value is None or self.changed:
            self._seen = signature(self._path)  # first: what is replaced meanwhile is read once more
            self._value = _read(self._path)
        return {"Authorization": f"Bearer {self._value}"}

    def mask(self, body: bytes) -> bytes:
        """Take the token out of what a server or proxy said: some give a request back as they got it."""
        return body.replace(self._value.encode(), b"***") if self._value else body

    def renewed(self) -> bool:
        """Read the file again, whatever it looks like; tell whether it holds another token now."""
        refused, self._value = self._value, None
        with contextlib.suppress(Unauthorized):
            self.headers()
        return self._value not in (None, refused)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise Unauthorized(f"the token can't be read: {path}: {error.strerror}") from error
    # Anything else would be refused by the HTTP library with an error that quotes it.
    if not _TOKEN.fullmatch(text):
        raise Unauthorized(f"the token can't be used: {path} is empty or has characters that no token has")
    return text
