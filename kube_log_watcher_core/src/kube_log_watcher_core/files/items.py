"""What an agent wants on disk, and which names are its own."""

from __future__ import annotations

import os
import re
from pathlib import Path

import attrs

TEMPORARY_SUFFIX = ".klw-tmp"
"""Ends the name of every file in the making: no shipper reads such a name, and the next start removes it."""


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@attrs.frozen
class File:
    """A regular file with exactly this content."""

    path: Path
    content: bytes = attrs.field(converter=_as_bytes, repr=False)
    mode: int = 0o644
    """Permission bits of a new file. A file that is there keeps its owner, group and mode."""
    group: int | None = None
    """Group id of a new file; None for the process's own."""


@attrs.frozen
class Link:
    """A symbolic link that leads to this target."""

    path: Path
    target: Path


Item = File | Link


def _as_parts(pattern: str | tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    parts = (pattern,) if isinstance(pattern, str) else pattern
    return tuple(re.compile(part, re.DOTALL) for part in parts)


@attrs.frozen
class Owned:
    """Names below a folder that belong to an agent. Only these are ever written, and only these pruned.

    ``pattern`` is a regular expression for the whole file name, or one for each path component
    when the agent makes folders inside ``folder``. The folder itself must be there already.
    """

    folder: Path
    pattern: tuple[re.Pattern[str], ...] = attrs.field(converter=_as_parts)
    links: bool = False
    """True: the names are links, and nothing but a link is pruned; False: regular files."""

    def matches(self, path: Path) -> bool:
        """Whether a path is one of these names."""
        parts = parts_below(self.folder, path)
        return len(parts) == len(self.pattern) and all(
            # Whatever the pattern allows, `..` would lead out of the folder.
            part != ".." and can_be_named(part) and regex.fullmatch(part)
            for regex, part in zip(self.pattern, parts, strict=True)
        )


def parts_below(folder: Path, path: Path) -> tuple[str, ...]:
    """Return the components of a path below a folder; none for a path that is not below it."""
    # Not by `relative_to`, which would take half the time of comparing a file with the disk.
    above = folder.parts
    return path.parts[len(above) :] if path.parts[: len(above)] == above else ()


def can_be_named(path: str) -> bool:
    """Whether the kernel can be told of a path: no NUL in it, and nothing that is no character."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False
