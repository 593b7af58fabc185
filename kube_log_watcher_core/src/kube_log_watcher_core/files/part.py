"""The part of a file's content that is about one subject, for people. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection

LONGEST_PART = 16 * 1024
"""Bytes of a part that are given."""
MOST_BRACES = 200
"""So many places are tried as the beginning of an object."""
LONGEST_GAP = 200
"""White space before an object, at most: more is nobody's way to write JSON."""

_DECODER = json.JSONDecoder()


def part_about(content: bytes, words: Collection[str]) -> bytes:
    """Return what is about these words: an element of a JSON list, else the lines that have one of them.

    Nothing when none of them is in it.
    """
    if not any(word.encode() in content for word in words):
        return b""
    text = content.decode("utf-8", "replace")
    lines = (line for line in text.splitlines() if any(word in line for word in words))
    part = _element(text, words) or "\n".join(lines)
    return part.encode("utf-8", "replace")[:LONGEST_PART]


def _element(text: str, words: Collection[str]) -> str:
    """Find the object in a list that has one of the words, without decoding what is around it."""
    at = start = min(found for word in words if (found := text.find(word)) >= 0)
    for _ in range(MOST_BRACES):
        start = text.rfind("{", 0, start)
        if start < 0:
            break
        before = text[max(start - LONGEST_GAP, 0) : start].rstrip(" \t\r\n")
        if before[-1:] not in {"[", ","}:
            continue
        try:
            _, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if end > at:
            return text[start:end]
    return ""
