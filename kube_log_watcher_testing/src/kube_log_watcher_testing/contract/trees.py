"""What is below a folder, and whether it is still the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

Content = bytes | str | None
"""A file's bytes, where a link leads, or None for anything else."""


def paths_below(folder: Path) -> Iterator[Path]:
    """Yield all paths below a folder, and follow no link."""
    for parent, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            yield Path(parent, name)


def contents(folder: Path) -> dict[str, Content]:
    """Read all below a folder."""
    return {str(path.relative_to(folder)): content(path) for path in paths_below(folder)}


def content(path: Path) -> Content:
    """Read a file or a link."""
    if path.is_symlink():
        return os.readlink(path)
    return path.read_bytes() if path.is_file() else None


def identities(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and time of change of all files and links: what nobody wrote keeps both."""
    return {str(path.relative_to(folder)): identity(path) for path in paths_below(folder) if _is_leaf(path)}


def identity(path: Path) -> tuple[int, int]:
    """Return inode and time of change, in nanoseconds, of a file or a link."""
    status = os.lstat(path)
    return status.st_ino, status.st_mtime_ns


def _is_leaf(path: Path) -> bool:
    return path.is_symlink() or not path.is_dir()


def empty(folder: Path) -> None:
    """Remove all that is in a folder."""
    for path in list(folder.iterdir()):
        if _is_leaf(path):
            path.unlink()
        else:
            shutil.rmtree(path)


def difference(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    """Return which names came, went and changed; nothing when all is the same."""
    parts = {
        "came": after.keys() - before.keys(),
        "went": before.keys() - after.keys(),
        "changed": {name for name in before.keys() & after.keys() if before[name] != after[name]},
    }
    return "; ".join(f"{what}: {', '.join(sorted(names)[:5])}" for what, names in parts.items() if names)
