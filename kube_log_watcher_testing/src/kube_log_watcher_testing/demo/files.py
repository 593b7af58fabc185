"""What agents have written, and what has become of it since."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
_UID = re.compile(r"_([0-9a-f]{4})[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/")

Snapshot = Mapping[Path, bytes]


def snapshot(folders: Iterable[Path]) -> Snapshot:
    """Read all files and links below some folders, while they change, but for hidden ones."""
    return dict(item for folder in folders for item in _below(folder))


def _below(folder: Path) -> Iterable[tuple[Path, bytes]]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (name for name in names if not name.startswith(".")):
            path = Path(parent, name)
            content = _content(path)
            if content is not None:
                yield path, content


def _content(path: Path) -> bytes | None:
    try:
        return os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
    except OSError:  # gone meanwhile
        return None


def changes(before: Snapshot, after: Snapshot, root: Path) -> list[str]:
    """Return what came, changed and went, one line each."""
    lines = [("+", path) for path in after.keys() - before.keys()]
    lines += [("-", path) for path in before.keys() - after.keys()]
    lines += [("~", path) for path in before.keys() & after.keys() if before[path] != after[path]]
    return [
        f"{sign} {short(path, root)}" for sign, path in sorted(lines, key=lambda line: (line[1], line[0]))
    ]


def short(path: Path, root: Path) -> str:
    """Show a path below a folder, with long ids as people are used to see them."""
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return _UID.sub(r"_\1…/", _ID.sub(r"\1…", str(shown)))
