"""JSON that is read while it arrives: what is wanted is decoded, the rest is passed over and never held."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

AHEAD_CHARACTERS: Final = 64 * 1024
"""How much is taken in at once: several pods, so that few of them are met by halves."""

WHOLE: Final = None
"""Wants a value as it is."""

Wanted = Mapping[str, "Wanted"] | list["Wanted"] | None
"""Of an object some members, of an array the same of each element, or a value as it is (`WHOLE`)."""

_SPACE = re.compile(r"[ \t\r\n]*")
# What can be passed over at once, inside of a string, and inside of an object or array. None of it is ever
# tried in another way (`++`): the text may be long, and its author may want that to take long.
_IN_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_LEVEL = re.compile(r'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"|\{\}|\[\])*+', re.DOTALL)


class TooLong(ValueError):
    """A value is longer than was asked for; the reader still stands before it."""


class JsonReader:
    """Goes through JSON text once, holding little more than the one value that is being decoded.

    Every method raises `ValueError` for what is no JSON, and whatever the pieces raise. Where a value is
    nested too deep to be decoded, `RecursionError` leaves the reader before it.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._characters = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """Return the next character that is no white space; an empty string at the end."""
        while True:
            self._at = _end(_SPACE.match(self._text, self._at), self._at)
            if self._ended or self._at < len(self._text):
                return self._text[self._at : self._at + 1]
            self._more(AHEAD_CHARACTERS)

    def expect(self, sign: str) -> None:
        """Go past a character that must be next."""
        found = self.peek()
        if found != sign:
            raise ValueError(f"expected {sign!r} and found {found or 'the end'!r}")
        self._at += 1

    def members(self, opening: str, closing: str) -> Iterator[None]:
        """Stand before each member of an object or array in turn."""
        self.expect(opening)
        if self.peek() == closing:
            self._at += 1
            return
        while True:
            yield
            if self.peek() == closing:
                self._at += 1
                return
            self.expect(",")

    def key(self) -> str:
        """Return the name of an object's next member."""
        name = self.value(AHEAD_CHARACTERS)
        if not isinstance(name, str):
            raise ValueError("a key is no string")
        self.expect(":")
        return name

    def value(self, longest: int) -> Any:
        """Return the next value. Raises `TooLong` when it has more characters than that."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except ValueError:
                if self._ended:
                    raise
            else:
                # A number that ends where the text does may go on.
                if self._ended or end < len(self._text):
                    if end - self._at > longest:
                        raise TooLong(f"a value is longer than {longest} characters")
                    self._at = end
                    return value
            held = len(self._text) - self._at
            if held > longest:
                raise TooLong(f"a value is longer than {longest} characters")
            # Twice as much each time: a value is decoded a few times at most, however long it is.
            self._more(max(held, AHEAD_CHARACTERS))

    def pick(self, wanted: Wanted, *, longest: int, too_long: list[str], name: str = "") -> Any:
        """Return of the next value what is wanted, each part up to so many characters.

        The names of parts that are longer, or too deep, are added to ``too_long``; they become None, and so
        does what is no object or array where one should be.
        """
        if wanted is WHOLE:
            try:
                return self.value(longest)
            except (TooLong, RecursionError):
                too_long.append(name)
        elif isinstance(wanted, list) and self.peek() == "[":
            return [
                self.pick(wanted[0], longest=longest, too_long=too_long, name=name)
                for _ in self.members("[", "]")
            ]
        elif isinstance(wanted, Mapping) and self.peek() == "{":
            picked = {}
            for _ in self.members("{", "}"):
                key = self.key()
                if key in wanted:
                    picked[key] = self.pick(wanted[key], longest=longest, too_long=too_long, name=key)
                else:
                    self.skip()
            return picked
        self.skip()
        return None

    def skip(self) -> None:
        """Go past the next value, however long it is. Inside of it only strings and brackets count."""
        sign = self.peek()
        if sign == '"':
            self._skip_string()
            return
        if sign not in ("{", "["):
            self.value(AHEAD_CHARACTERS)
            return
        self._at += 1
        depth = 1
        while depth:
            self._at = _end(_LEVEL.match(self._text, self._at), self._at)
            sign = self._text[self._at : self._at + 1]
            if not sign:
                self._more_of_value()
            elif sign == '"':
                self._skip_string()
            else:
                self._at += 1
                depth += 1 if sign in "{[" else -1

    def _skip_string(self) -> None:
        self._at += 1
        while True:
            self._at = _end(_IN_STRING.match(self._text, self._at), self._at)
            if self._text[self._at : self._at + 1] == '"':
                self._at += 1
                return
            self._more_of_value()  # there may be a backslash left, whose other half is to come

    def _more_of_value(self) -> None:
        held = len(self._text) - self._at
        self._more(AHEAD_CHARACTERS)
        if len(self._text) == held:
            raise ValueError("it ends in the middle of a value")

    def _more(self, least: int) -> None:
        """Take in so many characters more, if there are; what is behind goes."""
        arrived: list[str] = []
        while not self._ended and least > 0:
            piece = next(self._pieces, b"")
            self._ended = not piece
            arrived.append(self._characters.decode(piece, final=self._ended))
            least -= len(arrived[-1])
        self._text = self._text[self._at :] + "".join(arrived)
        self._at = 0


def _end(found: re.Match[str] | None, otherwise: int) -> int:
    return found.end() if found else otherwise
