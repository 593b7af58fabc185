"""The lines that containers write: each says whose it is, its number, and a secret."""

from __future__ import annotations

import re

import attrs

SECRET = "hunter2"  # noqa: S105 - made up, to be looked for
_LINE = re.compile(r"churn run=(?P<run>[\w./-]+) seq=(?P<seq>\d+) ")


@attrs.frozen
class Numbered:
    """Which line it is."""

    run: str
    seq: int


def text_of(line: Numbered, *, version: str) -> str:
    """Return a line as the container writes it. `version` is the label that is valid at that moment."""
    return f"churn run={line.run} seq={line.seq} version={version} password={SECRET}-{line.seq} end"


def parse(message: str) -> Numbered | None:
    """Find out which line a message is; None for what no container of ours wrote."""
    found = _LINE.search(message)
    return Numbered(found["run"], int(found["seq"])) if found else None


def is_unredacted(message: str) -> bool:
    """Whether the secret can be read."""
    return SECRET in message
