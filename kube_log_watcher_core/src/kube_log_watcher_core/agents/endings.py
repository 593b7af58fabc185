"""How one agent's shipper came to the end of logs that are gone: remembered for who asks later, bounded."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

MOST_REMEMBERED = 1000
"""Logs whose ends one agent remembers."""


@attrs.frozen
class Ending:
    """How it ended."""

    by_account: bool
    """Whether the shipper said itself that it has read to the end; else it was given the time that it has."""
    bytes_left: int | None = 0
    """What is known to be unread; None where nobody tells how much."""

    @property
    def is_good(self) -> bool:
        """Whether nothing is known to have been lost."""
        return self.bytes_left == 0

    def __str__(self) -> str:
        """Tell it to a person."""
        if not self.is_good:
            left = "an unknown number of" if self.bytes_left is None else str(self.bytes_left)
            return f"did not finish in time: {left} bytes were left unread"
        return "read to the end" if self.by_account else "waited for: it does not tell how far it has read"


class Endings:
    """The last logs' ends, by their containers' keys. Written by the agent's thread, read from any."""

    def __init__(self) -> None:
        self._by_key: dict[str, Ending] = {}

    def note(self, key: str, ending: Ending) -> None:
        """Note how a log ended, or a part of it: the latest counts, and what was lost stays lost."""
        before = self._by_key.pop(key, None)
        self._by_key[key] = before if before is not None and not before.is_good else ending
        while len(self._by_key) > MOST_REMEMBERED:
            del self._by_key[next(iter(self._by_key))]

    @property
    def by_key(self) -> Mapping[str, Ending]:
        """A copy of all, made in one step of the interpreter."""
        return self._by_key.copy()
