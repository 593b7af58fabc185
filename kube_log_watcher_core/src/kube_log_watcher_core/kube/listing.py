"""A list of pods, read item by item while it arrives."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from kube_log_watcher_core.errors import ServerError
from kube_log_watcher_core.kube.decode import MalformedPod, as_dict, decode_pod
from kube_log_watcher_core.models import Pod

AHEAD_CHARACTERS = 64 * 1024
"""How much is taken in at once: several pods, so that few of them are met by halves."""

_SPACE = re.compile(r"[ \t\r\n]*")


@attrs.frozen
class PodList:
    """What a list said."""

    version: str
    """The resource version from which to watch on."""
    pods: tuple[Pod, ...]
    skipped: tuple[str, ...] = ()
    """Why items were left out."""


def decode_json(body: bytes) -> object:
    """Read a whole body as JSON. Raises `ServerError` when it is none."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServerError(f"the answer is no JSON: {str(error)[:200]}", status=200) from error
    return value


def decode_list(body: bytes) -> PodList:
    """Read a list that is there as a whole. Raises `ServerError` as `read_list` does."""
    return read_list([body])


def read_list(pieces: Iterable[bytes]) -> PodList:
    """Read a list while it arrives, item by item: each is reduced before the next is decoded.

    So neither the body nor the objects of a thousand pods are ever in memory as a whole. Raises
    `ServerError` for anything that is not a whole list of pods, and whatever ``pieces`` raises.
    """
    try:
        return _PodListReader(pieces).read()
    except (ValueError, RecursionError) as error:
        raise ServerError(f"the list is no PodList: {str(error)[:200]}", status=200) from error


class _PodListReader:
    """Goes through a list once, without holding more of it than one item and what came with it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._characters = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._decode = json.JSONDecoder().raw_decode
        self._pods: list[Pod] = []
        self._skipped: list[str] = []

    def read(self) -> PodList:
        fields: dict[str, Any] = {}
        for _ in self._members("{", "}"):
            name = self._key()
            if name == "items" and self._peek() == "[":
                self._read_items()
                fields[name] = None
            else:
                fields[name] = self._value()
        if self._peek():
            raise ValueError("there is more after its end")
        return self._checked(fields)

    def _checked(self, fields: Mapping[str, Any]) -> PodList:
        if fields.get("kind") != "PodList":
            raise ValueError(f"its kind is {fields.get('kind')!r:.60}")
        if fields.get("items", "missing") is not None:
            raise ValueError("it has no items")
        version = as_dict(fields.get("metadata")).get("resourceVersion")
        if not isinstance(version, str) or not version:
            raise ValueError("it has no resource version")
        return PodList(version=version, pods=tuple(self._pods), skipped=tuple(self._skipped))

    def _read_items(self) -> None:
        for _ in self._members("[", "]"):
            try:
                self._pods.append(decode_pod(self._value()))
            except MalformedPod as error:
                self._skipped.append(str(error))

    def _members(self, opening: str, closing: str) -> Iterator[None]:
        """Stand before each member of an object or array in turn."""
        self._expect(opening)
        if self._peek() == closing:
            self._at += 1
            return
        while True:
            yield
            if self._peek() == closing:
                self._at += 1
                return
            self._expect(",")

    def _key(self) -> str:
        name = self._value()
        if not isinstance(name, str):
            raise ValueError("a key is no string")
        self._expect(":")
        return name

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except ValueError:
                if self._ended:
                    raise
            else:
                # A number that ends where the text does may go on.
                if self._ended or end < len(self._text):
                    self._at = end
                    return value
            # Twice as much each time: a value is decoded a few times at most, however long it is.
            self._more(max(len(self._text) - self._at, AHEAD_CHARACTERS))

    def _more(self, least: int) -> None:
        """Take in so many characters more, if there are; what is behind goes."""
        arrived: list[str] = []
        while not self._ended and sum(map(len, arrived)) < least:
            piece = next(self._pieces, b"")
            self._ended = not piece
            arrived.append(self._characters.decode(piece, final=self._ended))
        self._text = self._text[self._at :] + "".join(arrived)
        self._at = 0

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise ValueError(f"expected {sign!r} after {len(self._pods)} pods")
        self._at += 1

    def _peek(self) -> str:
        """Go to the next character that is no white space, and give it; nothing at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._ended or self._at < len(self._text):
                return self._text[self._at : self._at + 1]
            self._more(AHEAD_CHARACTERS)
