"""What text the Scalyr agent can read from its configuration, and how files are opened in its folders."""

from __future__ import annotations

import os
import re

# The agent decodes each \uXXXX of a string by itself: a character that takes two of them becomes two
# lone surrogates, and what it ships with those can't be encoded any more. Raw characters instead of
# escapes would depend on the agent's locale.
_UNREADABLE = re.compile("[\ud800-\udfff\U00010000-\U0010ffff]")


def is_plain(text: str) -> bool:
    """Whether the agent reads a text as it was meant: no character beyond U+FFFF."""
    return _UNREADABLE.search(text) is None


def as_plain(text: str) -> str:
    """Put U+FFFD in the place of every character that the agent would misread."""
    return text if text.isascii() else _UNREADABLE.sub("\ufffd", text)


def shortened(value: object, length: int = 60) -> str:
    """Return a value for a log line: on one line, and short."""
    text = ascii(value[:length]) if isinstance(value, str) else ascii(value)
    return text if len(text) <= length else text[: length - 3] + "..."


def open_unlinked(path: str, flags: int) -> int:
    """Open a file where others may write, for `open`: no link is followed, and no pipe waited for."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
