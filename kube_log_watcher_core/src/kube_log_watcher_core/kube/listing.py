"""A list of pods, read item by item."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from kube_log_watcher_core.errors import ServerError
from kube_log_watcher_core.kube.decode import MalformedPod, as_dict, decode_pod
from kube_log_watcher_core.models import Pod

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
    """Read a list, item by item: each is reduced before the next is decoded, which halves the peak.

    Raises `ServerError` for anything that is not a whole list of pods.
    """
    try:
        return _PodListReader(body.decode("utf-8")).read()
    except (ValueError, RecursionError) as error:
        raise ServerError(f"the list is no PodList: {str(error)[:200]}", status=200) from error


class _PodListReader:
    """Goes through the text of a list once, without holding more of it than one item."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
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
        value, self._at = self._decode(self._text, self._at)
        return value

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise ValueError(f"expected {sign!r} at character {self._at} of {len(self._text)}")
        self._at += 1

    def _peek(self) -> str:
        """Go to the next character that is no white space, and give it; nothing at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]
