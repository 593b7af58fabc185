"""The kinds of values that a setting can have, and how each is read from text and from YAML."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


class Secret:
    """A text that never shows in ``repr``, logs or messages."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text, for the one place that must write it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)"


@attrs.frozen
class Kind(Generic[T]):
    """How values of one sort are read. Both functions raise `ValueError` on anything else."""

    expected: str
    """What a value looks like, for error messages and ``--help``."""
    from_text: Callable[[str], T]
    """Read the value of a variable or of a command-line option."""
    from_yaml: Callable[[object], T]
    """Read a value that YAML has given a type already."""
    metavar: str = "VALUE"
    """Stands for a value in ``--help``."""
    words: tuple[str, ...] = ()
    """All values there are, where they are few; shell completion offers them."""
    several: bool = False
    """Whether an option may be given several times; the values are then joined by commas."""


def _text(value: str) -> str:
    if "\0" in value or "\n" in value:
        raise ValueError("one line of text")
    return value


def _yaml_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("text (put it in quotes)")
    return _text(value)


TEXT: Kind[str] = Kind("text", _text, _yaml_text, metavar="TEXT")
SECRET: Kind[Secret] = Kind(
    "text", lambda value: Secret(_text(value)), lambda value: Secret(_yaml_text(value)), metavar="SECRET"
)

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


def _flag(value: str) -> bool:
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return word in _TRUE


def _yaml_flag(value: object) -> bool:
    return value if isinstance(value, bool) else _flag(str(value))


FLAG: Kind[bool] = Kind("true or false", _flag, _yaml_flag, words=("true", "false"))


def seconds(*, least: float = 0.0) -> Kind[float]:
    """Read a duration in seconds of at least so much."""

    def check(number: float) -> float:
        if not math.isfinite(number) or number < least:
            raise ValueError(number)
        return number

    expected = f"a number of seconds, at least {least:g}"
    return Kind(expected, lambda text: check(float(text)), _number(check), metavar="SECONDS")


def count(*, least: int = 0) -> Kind[int]:
    """Read a whole number of at least so much."""

    def check(number: float) -> int:
        if number != int(number) or number < least:
            raise ValueError(number)
        return int(number)

    expected = f"a whole number, at least {least}"
    return Kind(expected, lambda text: check(int(text)), _number(check), metavar="NUMBER")


def _number(check: Callable[[float], T]) -> Callable[[object], T]:
    def read(value: object) -> T:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(value)
        return check(value)

    return read


def choice(*words: str) -> Kind[str]:
    """Read one of a few words, in any case."""

    def check(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(text)
        return word

    expected = f"one of {', '.join(words)}"
    return Kind(expected, check, lambda value: check(_yaml_text(value)), metavar="WORD", words=words)


def _path(value: str) -> Path:
    path = Path(_text(value.strip()))
    if not path.is_absolute():
        raise ValueError(value)
    return path


PATH: Kind[Path] = Kind("an absolute path", _path, lambda value: _path(_yaml_text(value)), metavar="PATH")


def _split(value: str) -> tuple[str, ...]:
    return tuple(part for item in value.split(",") if (part := _text(item.strip())))


def _listed(one: Callable[[str], T]) -> Callable[[object], tuple[T, ...]]:
    def read(value: object) -> tuple[T, ...]:
        if isinstance(value, str):
            return tuple(one(part) for part in _split(value))
        if not isinstance(value, list):
            raise ValueError(value)
        return tuple(one(_yaml_text(item).strip()) for item in value)

    return read


NAMES: Kind[tuple[str, ...]] = Kind(
    "names, comma-separated", _split, _listed(_text), metavar="NAMES", several=True
)
PATHS: Kind[tuple[Path, ...]] = Kind(
    "absolute paths, comma-separated",
    lambda text: tuple(_path(part) for part in _split(text)),
    _listed(_path),
    metavar="PATHS",
    several=True,
)


def _pair(value: str) -> tuple[Path, Path]:
    seen, shown = value.split("=")
    return _path(seen), _path(shown)


def _pairs_from_yaml(value: object) -> tuple[tuple[Path, Path], ...]:
    if isinstance(value, Mapping):
        return tuple((_path(_yaml_text(key)), _path(_yaml_text(item))) for key, item in value.items())
    return _listed(_pair)(value)


PATH_MAP: Kind[tuple[tuple[Path, Path], ...]] = Kind(
    "PREFIX=PREFIX, comma-separated absolute paths",
    lambda text: tuple(_pair(part) for part in _split(text)),
    _pairs_from_yaml,
    metavar="PREFIX=PREFIX",
    several=True,
)


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError(value)
    return dict(value)


def _object_from_text(text: str) -> Mapping[str, Any]:
    try:
        return _object(json.loads(text))
    except RecursionError as error:
        raise ValueError(text) from error


def _object_from_yaml(value: object) -> Mapping[str, Any]:
    return _object_from_text(value) if isinstance(value, str) else _object(value)


JSON_OBJECT: Kind[Mapping[str, Any]] = Kind(
    "a JSON object", _object_from_text, _object_from_yaml, metavar="JSON"
)


def _entries(value: object) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(value)
    return tuple(value)


ENTRIES: Kind[tuple[Any, ...]] = Kind(
    "a list", lambda text: _entries(json.loads(text)), _entries, metavar="JSON"
)
"""A list whose entries their owner judges one by one: a faulty one is dropped and reported, not fatal."""
